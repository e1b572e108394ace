"""editheader: addheader and deleteheader (RFC 5293). Each edit gives another message, with the same body."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.header_names import is_header_name
from routing.sieve.header_values import encoded_value, has_controls
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import COMPARISON_COST, Matcher
from routing.sieve.message import HeaderField
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

EDITS_MAXIMUM = 100  # of one run
VALUE_MAXIMUM = 8192  # characters; at least 998 (§4)
NAME_MAXIMUM = 76

# What was added in place of a changed Subject or From (RFC 5703 §5), and what tells loops and automatic mail.
_REPLACED = frozenset(["original-subject", "original-from"])
_KEPT = _REPLACED | {"received", "auto-submitted", "x-sieve-redirected-from"}

_EDITS = "edits of the header"


@dataclass(frozen=True, slots=True)
class _AddHeader:
    name: Text
    value: Text
    is_last: bool

    def run(self, run: "Run") -> None:
        name, value = text_of(run, self.name), text_of(run, self.value)
        if reason := _fault_of_name(name) or _fault_of_value(value):
            raise RunError(reason)
        if name.lower() in _REPLACED:
            run.note(f"{name} may not be added")
            return
        field = HeaderField(name, encoded_value(name, value))
        fields = run.message.header_fields
        _edit(run, [*fields, field] if self.is_last else [field, *fields])


@dataclass(frozen=True, slots=True)
class _DeleteHeader:
    """`matcher` None: whatever the value is. `index` 0: whichever it is; from the end, it is negative."""

    name: Text
    index: int
    matcher: Matcher | None

    def run(self, run: "Run") -> None:
        name = text_of(run, self.name)
        if reason := _fault_of_name(name):
            raise RunError(reason)
        if name.lower() in _KEPT:
            run.note(f"{name} may not be deleted")
            return
        found = run.message.fields(name)
        run.look_at(len(found) * COMPARISON_COST)
        gone = {id(field) for field in self._numbered(found) if self._fits(run, field)}
        if gone:
            _edit(run, [field for field in run.message.header_fields if id(field) not in gone])

    def _numbered(self, found: Sequence[HeaderField]) -> Sequence[HeaderField]:
        if not self.index:
            return found
        place = self.index - 1 if self.index > 0 else self.index
        return found[place : place + 1 or None] if -len(found) <= place else ()

    def _fits(self, run: "Run", field: HeaderField) -> bool:
        return self.matcher is None or self.matcher.matches(run, [field.text])


def _edit(run: "Run", fields: Sequence[HeaderField]) -> None:
    edits = run.state[_EDITS] = run.state.get(_EDITS, 0) + 1
    if edits > EDITS_MAXIMUM:
        raise RunError(f"a script changes the header {EDITS_MAXIMUM} times at most")
    run.look_at(len(fields) * COMPARISON_COST)
    run.message = run.message.with_header(fields)


def _fault_of_name(name: str) -> str:
    if is_header_name(name) and len(name) <= NAME_MAXIMUM:
        return ""
    return f"{name[:200]!r} is no name of a header field"


def _fault_of_value(value: str) -> str:
    if len(value) > VALUE_MAXIMUM:
        return f"the value of a header field has {VALUE_MAXIMUM} characters at most"
    return "the value of a header field has no control characters" if has_controls(value) else ""


def _check(call: Call, argument: int, fault_of: Callable[[str], str]) -> None:
    text = call.text(argument)
    if isinstance(text, str) and (reason := fault_of(text)):
        raise call.invalid(reason, argument)


def _addheader(call: Call) -> _AddHeader:
    _check(call, 0, _fault_of_name)
    _check(call, 1, _fault_of_value)
    return _AddHeader(call.text(0), call.text(1), call.has("last"))


def _deleteheader(call: Call) -> _DeleteHeader:
    _check(call, 0, _fault_of_name)
    index = call.tag("index")
    if index == 0:
        raise call.invalid(":index counts from 1")
    if call.has("last") and index is None:
        raise call.invalid(":last stands with :index only")
    matcher = None if call.arguments[1] is None else call.matcher(call.texts(1))
    number = index or 0
    return _DeleteHeader(call.text(0), -number if call.has("last") else number, matcher)


EXTENSION = Extension(
    "editheader",
    commands=(
        Signature("addheader", _addheader, (Shape.STRING, Shape.STRING), tags=(TagKind("last"),)),
        Signature(
            "deleteheader",
            _deleteheader,
            (Shape.STRING, Shape.STRINGS),
            optional=1,
            is_open=True,
            tags=(TagKind("index", Shape.NUMBER), TagKind("last")),
            matches=True,
        ),
    ),
)
