"""index: `:index` and `:last` on header, address and date (RFC 5260 §6).

The fields of all names are counted, those of the first name first.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from routing.sieve.calls import Call
from routing.sieve.language import Extension, FieldSource, Shape, TagKind

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run
    from routing.sieve.message import HeaderField

_TESTS = ("header", "address", "date")


def _select(source: FieldSource, call: Call, number: Any) -> FieldSource:
    """Of the fields the one with this number, from 1."""
    is_last = call.has("last")

    def one(run: "Run", names: Sequence[str]) -> "Sequence[HeaderField]":
        found = source(run, names)
        if not 0 < number <= len(found):
            return ()
        return (found[-number if is_last else number - 1],)

    return one


def _check_index(call: Call, number: Any) -> None:
    if number == 0:
        raise call.invalid(":index counts from 1")


def _check_last(call: Call, value: Any) -> None:
    if not call.has("index"):
        raise call.invalid(":last stands with :index only")


EXTENSION = Extension(
    "index",
    tags=(
        (_TESTS, TagKind("index", Shape.NUMBER, select=_select, check=_check_index)),
        (_TESTS, TagKind("last", check=_check_last)),
    ),
)
