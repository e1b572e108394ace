"""reject and ereject (RFC 5429): the message is refused, with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.actions import Action, Reject
from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.occasion import needs_delivery
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Reject:
    reason: Text
    extended: bool
    amend: Callable[["Run", Action], Action]

    def run(self, run: "Run") -> None:
        needs_delivery(run, "ereject" if self.extended else "reject")
        reason = text_of(run, self.reason)
        run.act(self.amend(run, Reject(reason, extended=self.extended, line=run.line)))


def _build(call: Call) -> _Reject:
    return _Reject(call.text(0), call.name == "ereject", call.amend)


REJECT = Extension(
    "reject", commands=(Signature("reject", _build, (Shape.STRING,)),), is_for_delivery=True
)
EREJECT = Extension(
    "ereject", commands=(Signature("ereject", _build, (Shape.STRING,)),), is_for_delivery=True
)
