"""replace: other content for the part at hand, or for the whole message (RFC 5703 §5).

A message that another holds is a whole one too, as far as its header goes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.mailstore.headers import parse_addresses
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.header_values import encoded_value, has_controls
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.made_parts import COPIES_A_LOOK, is_about_content, own_entity, text_entity
from routing.sieve.message import HeaderField, Message
from routing.sieve.parts import Path, current_path, part_at, replace_part
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

VALUE_MAXIMUM = 8192  # characters of a Subject or From


@dataclass(frozen=True, slots=True)
class _Replace:
    replacement: Text
    is_mime: bool
    subject: Text | None
    sender: Text | None

    def run(self, run: "Run") -> None:
        text = text_of(run, self.replacement)
        new = own_entity(text) if self.is_mime else text_entity(text)
        run.look_at((len(run.message.content) + len(new)) // COPIES_A_LOOK)
        place = current_path(run)
        message = _with_part(run, place, new) if place else self._whole(run, new)
        replace_part(run, message)
        run.note("the part is replaced" if place else "the message is replaced")

    def _whole(self, run: "Run", entity: bytes) -> Message:
        """The fields that are not about the content stay; those that are replaced too are kept as Original-*."""
        kept = [one for one in run.message.header_fields if not is_about_content(one.name)]
        for name, text in (("Subject", self.subject), ("From", self.sender)):
            if text is not None:
                kept = _with_field(kept, name, _checked(name, text_of(run, text)))
        made = Message(entity)
        kept.append(HeaderField("MIME-Version", b" 1.0"))
        kept += (one for one in made.header_fields if one.name.lower().startswith("content-"))
        changed = run.message.with_header(kept).content
        return Message(changed[: len(changed) - len(run.message.body)] + made.body)


def _with_field(fields: list[HeaderField], name: str, value: bytes) -> list[HeaderField]:
    """The old one is kept under another name, and the new one stands before it."""
    changed: list[HeaderField] = []
    new = HeaderField(name, value)
    for one in fields:
        is_old = one.name.lower() == name.lower()
        if is_old and new not in changed:
            changed.append(new)
        changed.append(HeaderField(f"Original-{name}", one.raw) if is_old else one)
    return changed if new in changed else [*changed, new]


def _checked(name: str, text: str) -> bytes:
    if reason := _fault(name, text):
        raise RunError(reason)
    return encoded_value(name, text)


def _fault(name: str, text: str) -> str:
    is_right = len(text) <= VALUE_MAXIMUM and not has_controls(text)
    if name == "From" and is_right:
        found = parse_addresses(text.encode("utf-8", "replace"))
        is_right = bool(found) and all(one.local_part and one.domain for one in found)
    return "" if is_right else f"{text[:200]!r} is no {name} for a message"


def _with_part(run: "Run", place: Path, entity: bytes) -> Message:
    part, content = part_at(run, place), run.message.unedited.content
    if part_at(run, place[:-1]).is_message:
        inner = Message(content[part.header_start : part.end])
        made = Message(entity)
        kept = [one for one in inner.header_fields if not is_about_content(one.name)]
        kept += (one for one in made.header_fields if one.name.lower().startswith("content-"))
        entity = Message(made.content).with_header(kept).content
    # the line break before a boundary belongs to the boundary
    new = entity.removesuffix(b"\r\n")
    message = Message(content[: part.header_start] + new + content[part.end :])
    message.enclosed = run.message.enclosed
    is_edited = run.message is not run.message.unedited
    return message.with_header(run.message.header_fields) if is_edited else message


def _build(call: Call) -> _Replace:
    subject, sender = call.tag("subject"), call.tag("from")
    if call.has("mime") and (call.has("subject") or call.has("from")):
        raise call.invalid(":subject and :from do not stand beside :mime")
    for name, text in (("Subject", subject), ("From", sender)):
        if isinstance(text, str) and (reason := _fault(name, text)):
            raise call.invalid(reason)
    return _Replace(call.text(0), call.has("mime"), subject, sender)


EXTENSION = Extension(
    "replace",
    commands=(
        Signature(
            "replace",
            _build,
            (Shape.STRING,),
            tags=(
                TagKind("mime"),
                TagKind("subject", Shape.STRING),
                TagKind("from", Shape.STRING),
            ),
        ),
    ),
)
