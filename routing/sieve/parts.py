"""The part that a loop over parts is at (RFC 5703 §3), and where tests with `:mime` look (§4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from accounts.mailstore.entities import Entity
from accounts.mailstore.headers import fields, unfold
from accounts.mailstore.media_types import (
    parameter,
    parameter_text,
    parse_disposition,
    parse_media_type,
)
from routing.sieve.errors import RunError
from routing.sieve.matching import COMPARISON_COST
from routing.sieve.message import HeaderField, Message, entities

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

Path = tuple[int, ...]

_LOOPS, _REPLACED = "loops over parts", "parts that were replaced"
REPLACEMENTS_MAXIMUM = 50  # of one run, enclosing too


@dataclass(slots=True)
class Loop:
    """One that runs over the parts as they were when it began. `path` is that of the part at hand: the places among
    the children of each level, from the whole message. `gone` are those of parts that were replaced with all they held.

    `prefix` is where the message of that time stands in the message of now (an enclosed one moves).
    """

    path: Path = ()
    prefix: Path = ()
    gone: set[Path] = field(default_factory=set)

    @property
    def place(self) -> Path:
        return self.prefix + self.path

    @property
    def is_gone(self) -> bool:
        """Whether the part at hand was within one that was replaced."""
        return any(self.path[:length] in self.gone for length in range(len(self.path)))


def loops(run: "Run") -> list[Loop]:
    """Those that run, the innermost last."""
    found = run.state.setdefault(_LOOPS, [])
    assert isinstance(found, list)
    return found


def current_path(run: "Run") -> Path:
    """Of the part at hand; outside of loops, of the whole message."""
    running = loops(run)
    return running[-1].place if running else ()


def replace_part(run: "Run", message: Message) -> None:
    """The part at hand is another one in this message: what it held is gone for the loops that run."""
    _count_replaced(run)
    place = current_path(run)
    run.message = message
    for loop in loops(run):
        loop.gone.add(place[len(loop.prefix) :])


def enclose_message(run: "Run", message: Message, path: Path) -> None:
    """The message is within this one now, at this path."""
    _count_replaced(run)
    run.message = message
    for loop in loops(run):
        loop.prefix = path + loop.prefix


def _count_replaced(run: "Run") -> None:
    count = run.state[_REPLACED] = run.state.get(_REPLACED, 0) + 1
    if count > REPLACEMENTS_MAXIMUM:
        raise RunError(f"a script replaces {REPLACEMENTS_MAXIMUM} parts at most")


def current_part(run: "Run") -> Entity | None:
    return part_at(run, current_path(run)) if loops(run) else None


def part_at(run: "Run", path: Path) -> Entity:
    """Raises RunError where an edit of the header has taken the part away."""
    part = run.message.unedited.root
    for index in path:
        if index >= len(part.children):
            raise RunError("the part at hand is gone: the header was changed")
        part = part.children[index]
    return part


def paths(part: Entity) -> Iterator[Path]:
    """Of it and of all that it holds, in the order of the message."""
    waiting: list[tuple[Path, Entity]] = [((), part)]
    while waiting:
        path, entity = waiting.pop()
        yield path
        inner = [((*path, index), child) for index, child in enumerate(entity.children)]
        waiting.extend(reversed(inner))


def part_fields(run: "Run", name: str, *, any_child: bool) -> Iterator[HeaderField]:
    """The fields of that name of the part at hand (outside of loops the whole message), and of all within it."""
    whole = run.message.unedited
    part = current_part(run) or whole.root
    wanted = name.lower().encode("utf-8", "surrogateescape")
    content = whole.content
    for entity in entities(part) if any_child else (part,):
        if entity is whole.root:
            yield from run.message.fields(name)
            continue
        run.look_at(4 * (entity.body_start - entity.header_start + COMPARISON_COST))
        if wanted not in entity.header.values:
            continue
        for one in fields(content, entity.header_start, entity.body_start):
            if one.name == wanted:
                yield HeaderField(name, one.value)


def field_of_type(field: HeaderField, option: str, parameters: Sequence[str]) -> list[HeaderField]:
    """What `:type`, `:subtype`, `:contenttype` or `:param` make of a field (§4.1): fields other than Content-Type and
    Content-Disposition have the empty string, and no parameters."""
    value, name = unfold(field.raw), field.name.lower()
    found: tuple[tuple[bytes, bytes], ...] = ()
    text = ""
    if name == "content-type" and (media := parse_media_type(value)):
        kind, subtype = media.type.decode("ascii"), media.subtype.decode("ascii")
        text = {"type": kind, "subtype": subtype}.get(option, f"{kind}/{subtype}")
        found = media.parameters
    elif name == "content-disposition" and (disposition := parse_disposition(value)):
        text = "" if option == "subtype" else disposition.kind.decode("ascii")
        found = disposition.parameters
    texts = [text]
    if option == "param":
        names = [one.lower().encode("utf-8", "surrogateescape") for one in parameters]
        texts = [parameter_text(found, one) for one in names if parameter(found, one) is not None]
    return [HeaderField(field.name, text.encode("utf-8", "replace"), text) for text in texts]
