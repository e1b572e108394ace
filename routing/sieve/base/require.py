"""require (RFC 5228 §3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Command, Extension, Shape, Signature
from routing.sieve.occasion import needs_delivery
from routing.sieve.texts import source_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Require:
    """All was done as the script was compiled, but for what makes no sense after an IMAP command."""

    for_delivery: Sequence[str]

    def run(self, run: "Run") -> None:
        for name in self.for_delivery:
            needs_delivery(run, name)


def _build(call: Call) -> Command:
    if not call.checker.only_require:
        raise call.invalid("require stands at the beginning, before all other commands")
    names = [source_of(name) for name in call.texts(0)]  # nothing is expanded (RFC 5229 §3)
    call.checker.enable(names, call.places[0])
    known = call.checker.language.by_name
    return _Require([name for name in names if name in known and known[name].is_for_delivery])


EXTENSION = Extension("", commands=(Signature("require", _build, (Shape.STRINGS,)),))
