"""require (RFC 5228 §3.2)."""

from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Command, Extension, Shape, Signature

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


class _Nothing:
    def run(self, run: "Run") -> None:
        """All was done as the script was compiled."""


def _build(call: Call) -> Command:
    if not call.checker.only_require:
        raise call.invalid("require stands at the beginning, before all other commands")
    names = call.texts(0)
    call.checker.enable([name for name in names if isinstance(name, str)], call.places[0])
    return _Nothing()


EXTENSION = Extension("", commands=(Signature("require", _build, (Shape.STRINGS,)),))
