"""keep, discard and redirect (RFC 5228 §4.2-§4.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.actions import Action, Discard, Keep, Redirect
from routing.sieve.addresses import plain_address
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Simple:
    action: type[Keep | Discard]
    amend: Callable[["Run", Action], Action]

    def run(self, run: "Run") -> None:
        run.act(self.amend(run, self.action(line=run.line)))


@dataclass(frozen=True, slots=True)
class _Redirect:
    address: Text
    amend: Callable[["Run", Action], Action]

    def run(self, run: "Run") -> None:
        text = text_of(run, self.address)
        address = plain_address(text)
        # a tag may say that it is the name of something else
        action = self.amend(run, Redirect(text if address is None else address, line=run.line))
        if address is None and not (isinstance(action, Redirect) and action.list_name):
            raise RunError(f"{text[:200]!r} is no address to redirect to")
        run.act(action)


def _keep(call: Call) -> _Simple:
    return _Simple(Keep, call.amend)


def _discard(call: Call) -> _Simple:
    return _Simple(Discard, call.amend)


def _redirect(call: Call) -> _Redirect:
    address = call.text(0)
    # a tag may say that it is something else (`:list`)
    if isinstance(address, str) and not call.has("list") and plain_address(address) is None:
        raise call.invalid(f"{address[:200]!r} is no address to redirect to", 0)
    return _Redirect(address, call.amend)


EXTENSION = Extension(
    "",
    commands=(
        Signature("keep", _keep),
        Signature("discard", _discard),
        Signature("redirect", _redirect, (Shape.STRING,)),
    ),
)
