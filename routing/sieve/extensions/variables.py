"""set and string, and references in all strings (RFC 5229)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.modifiers import Modifier, modifier
from routing.sieve.texts import Text, text_of, texts_of
from routing.sieve.variables import compile_references, writer

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

_WILD = re.compile(r"([*?\\])")


@dataclass(frozen=True, slots=True)
class _Set:
    put: Callable[["Run", str], None]
    value: Text
    changes: tuple[Callable[[str], str], ...]

    def run(self, run: "Run") -> None:
        value = text_of(run, self.value)
        for change in self.changes:
            value = change(value)
        self.put(run, value)


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
    modifiers = [use.kind for use in call.tags.values() if isinstance(use.kind, Modifier)]
    modifiers.sort(key=lambda one: -one.precedence)
    put = writer(call.text(0), call.checker)
    return _Set(put, call.text(1), tuple(one.change for one in modifiers))


def _string(call: Call) -> _String:
    matcher = call.matcher(call.texts(1))
    counts = call.match_type is not None and call.match_type.name == "count"
    return _String(call.texts(0), matcher, counts_empty=not counts)  # §5


def _upper(text: str) -> str:
    """Letters of ASCII alone (§4.1.3)."""
    return text.upper() if text.isascii() else re.sub("[a-z]+", lambda m: m[0].upper(), text)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else re.sub("[A-Z]+", lambda m: m[0].lower(), text)


EXTENSION = Extension(
    "variables",
    commands=(
        Signature(
            "set",
            _set,
            (Shape.STRING, Shape.STRING),
            tags=(
                modifier("upper", 40, _upper),
                modifier("lower", 40, _lower),
                modifier("upperfirst", 30, lambda text: _upper(text[:1]) + text[1:]),
                modifier("lowerfirst", 30, lambda text: _lower(text[:1]) + text[1:]),
                modifier("quotewildcard", 20, lambda text: _WILD.sub(r"\\\1", text)),
                modifier("length", 10, lambda text: str(len(text))),
            ),
        ),
    ),
    tests=(Signature("string", _string, (Shape.STRINGS, Shape.STRINGS), matches=True),),
    compile_string=compile_references,
)
