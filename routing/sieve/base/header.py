"""The tests header and exists (RFC 5228 §5.5, §5.7)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.header_names import check_header_names
from routing.sieve.kept_values import kept_values, key_of_values
from routing.sieve.language import Extension, FieldSource, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.texts import Text, texts_of
from routing.sieve.trace import quoted

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Header:
    names: Sequence[Text]
    fields: FieldSource
    matcher: Matcher
    key: Hashable | None

    def holds(self, run: "Run") -> bool:
        return self.matcher.matches(run, kept_values(run, self.key, self._values))

    def _values(self, run: "Run") -> list[str]:
        return [field.text for field in self.fields(run, texts_of(run, self.names))]


@dataclass(frozen=True, slots=True)
class _Exists:
    names: Sequence[Text]
    fields: FieldSource

    def holds(self, run: "Run") -> bool:
        missing = (name for name in texts_of(run, self.names) if not self.fields(run, (name,)))
        first = next(missing, None)
        if run.trace is not None and first is not None:
            run.note(f"there is no {quoted(first)}")
        return first is None


def _header(call: Call) -> _Header:
    check_header_names(call, 0)
    names, fields = call.texts(0), call.fields
    return _Header(names, fields, call.matcher(call.texts(1)), key_of_values(names, fields))


def _exists(call: Call) -> _Exists:
    check_header_names(call, 0)
    return _Exists(call.texts(0), call.fields)


EXTENSION = Extension(
    "",
    tests=(
        Signature("header", _header, (Shape.STRINGS, Shape.STRINGS), matches=True),
        Signature("exists", _exists, (Shape.STRINGS,)),
    ),
)
