"""enotify: notify, its tests and `set :encodeurl` (RFC 5435), with the method mailto (RFC 5436)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from routing.sieve.actions import Action, Notify
from routing.sieve.addresses import plain_address
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.mailto import parse_mailto
from routing.sieve.matching import Matcher
from routing.sieve.modifiers import MODIFIED, modifier
from routing.sieve.texts import Text, text_of, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

URI_MAXIMUM = 2000  # characters
METHODS = ("mailto",)
"""What ManageSieve's NOTIFY line tells (RFC 5804 §1.7)."""

_URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
)
_OPTION = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)=([^\x00\n]*)")
_IMPORTANCES = ("1", "2", "3")


def method_error(uri: str) -> str:
    """Why nothing can be notified by this URI, or ""."""
    shown = repr(uri[:200])
    if len(uri) > URI_MAXIMUM or not _URI.fullmatch(uri):
        return f"{shown} is no URI"
    if uri.partition(":")[0].lower() not in METHODS:
        return f"{shown}: this server notifies by {', '.join(METHODS)} only"
    mailto = parse_mailto(uri)
    if mailto is None or not mailto.recipients:
        return f"{shown} names no address"
    return ""


@dataclass(frozen=True, slots=True)
class _Notify:
    method: Text
    message: Text
    sender: Text | None
    importance: Text
    options: Sequence[Text]
    amend: Callable[["Run", Action], Action]

    def run(self, run: "Run") -> None:
        method = text_of(run, self.method)
        if error := method_error(method):
            raise RunError(error)
        importance = text_of(run, self.importance)
        if importance not in _IMPORTANCES:
            raise RunError(f"{importance[:50]!r} is no importance: 1, 2 or 3")
        sender = "" if self.sender is None else text_of(run, self.sender)
        if self.sender is not None and plain_address(sender) is None:
            raise RunError(f"{sender[:200]!r} is no address to notify from")
        options = [_OPTION.fullmatch(option) for option in texts_of(run, self.options)]
        run.act(
            self.amend(
                run,
                Notify(
                    method,
                    text_of(run, self.message),
                    sender,
                    int(importance),
                    tuple((option[1], option[2]) for option in options if option is not None),
                    line=run.line,
                ),
            )
        )


@dataclass(frozen=True, slots=True)
class _ValidMethod:
    uris: Sequence[Text]

    def holds(self, run: "Run") -> bool:
        return not any(method_error(uri) for uri in texts_of(run, self.uris))


@dataclass(frozen=True, slots=True)
class _Capability:
    """`online` is "maybe" for mailto (RFC 5436 §2.6); no other is known."""

    uri: Text
    name: Text
    matcher: Matcher

    def holds(self, run: "Run") -> bool:
        if method_error(text_of(run, self.uri)) or text_of(run, self.name).lower() != "online":
            return False
        return self.matcher.matches(run, ["maybe"])


def _notify(call: Call) -> _Notify:
    method, importance = call.text(0), call.tag("importance") or "2"
    if isinstance(method, str) and (error := method_error(method)):
        # of a scheme that is not known it is an error only as the script runs (RFC 5435 §3.2)
        if method.partition(":")[0].lower() in METHODS or ":" not in method:
            raise call.invalid(error, 0)
        call.checker.warn(call.places[0], error)
    if isinstance(importance, str) and importance not in _IMPORTANCES:
        raise call.invalid(f"{importance[:50]!r} is no importance: 1, 2 or 3")
    sender = call.tag("from")
    if isinstance(sender, str) and plain_address(sender) is None:
        raise call.invalid(f"{sender[:200]!r} is no address to notify from")
    options = call.tag("options") or ()
    for option in options:
        if isinstance(option, str) and not _OPTION.fullmatch(option):
            raise call.invalid(f"{option[:100]!r} is no option: name=value")
    return _Notify(method, call.tag("message") or "", sender, importance, options, call.amend)


def _valid_method(call: Call) -> _ValidMethod:
    return _ValidMethod(call.texts(0))


def _capability(call: Call) -> _Capability:
    return _Capability(call.text(0), call.text(1), call.matcher(call.texts(2)))


EXTENSION = Extension(
    "enotify",
    commands=(
        Signature(
            "notify",
            _notify,
            (Shape.STRING,),
            tags=(
                TagKind("from", Shape.STRING),
                TagKind("importance", Shape.STRING),
                TagKind("options", Shape.STRINGS),
                TagKind("message", Shape.STRING),
            ),
        ),
    ),
    tests=(
        Signature("valid_notify_method", _valid_method, (Shape.STRINGS,)),
        Signature(
            "notify_method_capability",
            _capability,
            (Shape.STRING, Shape.STRING, Shape.STRINGS),
            matches=True,
        ),
    ),
    tags=(
        (MODIFIED, modifier("encodeurl", 15, lambda text: quote(text, safe="~", errors="replace"))),
    ),
)
