"""extracttext: the text of the part at hand into a variable (RFC 5703 §7)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.modifiers import BASE_MODIFIERS, changed, changes_of
from routing.sieve.part_texts import shown_text
from routing.sieve.parts import current_part
from routing.sieve.variables import VALUE_MAXIMUM, writer

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _ExtractText:
    put: Callable[["Run", str], None]
    first: int
    changes: tuple[Callable[[str], str], ...]

    def run(self, run: "Run") -> None:
        part = current_part(run)
        if part is None:
            raise RunError("extracttext has its place within foreverypart")
        run.look_at(part.end - part.body_start)
        value = ""
        if part.media_type.type == b"text":
            value = shown_text(run.message.unedited, part)[: self.first]
        self.put(run, changed(run, self.changes, value))


def _build(call: Call) -> _ExtractText:
    for needed in ("foreverypart", "variables"):
        if needed not in call.checker.enabled:
            raise call.invalid(f'extracttext needs: require "{needed}"')
    first = call.tag("first")
    assert first is None or isinstance(first, int)
    return _ExtractText(
        writer(call.text(0), call.checker),
        VALUE_MAXIMUM if first is None else first,
        changes_of(call),
    )


EXTENSION = Extension(
    "extracttext",
    commands=(
        Signature(
            "extracttext",
            _build,
            (Shape.STRING,),
            tags=(*BASE_MODIFIERS, TagKind("first", Shape.NUMBER)),
        ),
    ),
)
