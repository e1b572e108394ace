"""set and string, and references in all strings (RFC 5229)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.modifiers import BASE_MODIFIERS, changed, changes_of
from routing.sieve.texts import Text, text_of, texts_of
from routing.sieve.variables import compile_references, writer

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Set:
    put: Callable[["Run", str], None]
    value: Text
    changes: tuple[Callable[[str], str], ...]

    def run(self, run: "Run") -> None:
        self.put(run, changed(run, self.changes, text_of(run, self.value)))


@dataclass(frozen=True, slots=True)
class _String:
    sources: Sequence[Text]
    matcher: Matcher
    counts_empty: bool

    def holds(self, run: "Run") -> bool:
        values = texts_of(run, self.sources)
        if not self.counts_empty:
            values = [value for value in values if value]
        return self.matcher.matches(run, values)


def _set(call: Call) -> _Set:
    return _Set(writer(call.text(0), call.checker), call.text(1), changes_of(call))


def _string(call: Call) -> _String:
    matcher = call.matcher(call.texts(1))
    counts = call.match_type is not None and call.match_type.name == "count"
    return _String(call.texts(0), matcher, counts_empty=not counts)  # §5


EXTENSION = Extension(
    "variables",
    commands=(
        Signature(
            "set",
            _set,
            (Shape.STRING, Shape.STRING),
            tags=BASE_MODIFIERS,
        ),
    ),
    tests=(Signature("string", _string, (Shape.STRINGS, Shape.STRINGS), matches=True),),
    compile_string=compile_references,
)
