"""mime: `:mime`, `:anychild` and their options on header, address and exists (RFC 5703 §4)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from routing.sieve.calls import Call
from routing.sieve.language import Extension, FieldSource, Shape, TagKind
from routing.sieve.message import HeaderField
from routing.sieve.parts import field_of_type, part_fields
from routing.sieve.texts import texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

_OPTION = "option of :mime"


def _mime(source: FieldSource, call: Call, value: Any) -> FieldSource:
    """The fields of the part at hand take the place of the message's."""
    any_child, option = call.has("anychild"), call.tag_name(_OPTION)
    names = call.tag(_OPTION) or ()

    def found(run: "Run", header_names: Sequence[str]) -> Sequence[HeaderField]:
        fields = [
            field for name in header_names for field in part_fields(run, name, any_child=any_child)
        ]
        if not option:
            return fields
        wanted = texts_of(run, names)
        return [one for field in fields for one in field_of_type(field, option, wanted)]

    return found


def _needs_mime(call: Call, value: Any) -> None:
    if not call.has("mime"):
        raise call.invalid("this tag needs :mime beside it")


_TESTS = ("header", "address", "exists")
_OPTIONS = tuple(
    (("header",), TagKind(name, shape, _OPTION, check=_needs_mime))
    for name, shape in (
        ("type", None),
        ("subtype", None),
        ("contenttype", None),
        ("param", Shape.STRINGS),
    )
)
EXTENSION = Extension(
    "mime",
    tags=(
        (_TESTS, TagKind("mime", select=_mime, replaces=True)),
        (_TESTS, TagKind("anychild", check=_needs_mime)),
        *_OPTIONS,
    ),
)
