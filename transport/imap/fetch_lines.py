"""FETCH's response lines of a batch of messages, from what is read for them. Runs beside the event loop, in one hop.

ENVELOPE and its like were rendered at delivery. A value too large to be held becomes a `Stream`, which is sent in
pieces.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from accounts.mailstore.flags import Stored
from accounts.mailstore.headers import HEADER_LIMIT
from accounts.mailstore.reading import BlobReference, fetch, read_blob
from accounts.mailstore.sharing_flags import store_flags_as
from accounts.mailstore.values import FolderId, MailboxId, NoPermission, Uid
from transport.database_threads import Connection
from transport.imap.binary import UnknownEncoding, decoded_value
from transport.imap.fetch_plan import COLUMNS, Plan
from transport.imap.sections import Slice, chosen_fields, header_slice, is_in_header, section_slice
from transport.imap.streams import Piece, Stream
from transport.imap.wire.fetch_items import Attribute, Binary, FetchItem, Section
from transport.imap.wire.responses import FlagTexts

Word = bytes | tuple[bytes, Stream] | None
"""An item's words in one line; None leaves it out."""

READ_AT_ONCE = 65_536
"""Octets of a value that are read with the batch; a larger one is streamed."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some messages as the session's view has them; the lists are parallel. `start` has the place of a number, which
    is the UID for UIDFETCH."""

    start: bytes
    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[int]
    modseqs: Sequence[int]
    texts: FlagTexts

    def only(self, uids: Sequence[int]) -> "Batch":
        """Those of these UIDs, which are in order."""
        if len(uids) == len(self.uids):
            return self
        there = set(uids)
        kept = [place for place, uid in enumerate(self.uids) if uid in there]
        return replace(
            self,
            numbers=[self.numbers[place] for place in kept],
            uids=uids,
            flags=[self.flags[place] for place in kept],
            modseqs=[self.modseqs[place] for place in kept],
        )

    def after(self, stored: Stored) -> "Batch":
        """With the flags that a STORE left behind."""
        new = {uid: (flags, modseq) for uid, flags, modseq in stored.changed}
        old = zip(self.uids, self.flags, self.modseqs, strict=True)
        now = [new.get(Uid(uid), (flags, modseq)) for uid, flags, modseq in old]
        return replace(
            self,
            flags=[flags for flags, _ in now],
            modseqs=[modseq for _, modseq in now],
            texts=FlagTexts(stored.keywords),
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send of a batch. `found`: how many of the messages were there; `unknown_encoding`: a part could not be
    decoded, and stands in no line; `stored`: what became of \\Seen."""

    pieces: Sequence[Piece]
    found: int
    unknown_encoding: bool = False
    stored: Stored | None = None


def render_batch(
    db: Connection,
    owner: MailboxId,
    folder_id: FolderId,
    reader: MailboxId,
    plan: Plan,
    batch: Batch,
    unseen: Sequence[Uid],
) -> Rendered:
    """Set \\Seen on `unseen`, read, and render."""
    stored = None
    told: frozenset[int] = frozenset()
    if unseen:
        with suppress(NoPermission):  # lost since the command began
            stored = store_flags_as(db, reader, owner, folder_id, unseen, "add", ("\\Seen",))
    if stored is not None:
        batch = batch.after(stored)
        told = frozenset(uid for uid, _, _ in stored.changed)
    rows = fetch(db, owner, folder_id, [Uid(uid) for uid in batch.uids], plan.columns)
    columns = list(zip(*rows, strict=True)) or [()] * (len(plan.columns) + 1)
    batch = batch.only(columns[0])
    values: dict[str, Sequence[Any]] = dict(zip(plan.columns, columns[1:], strict=True))
    lines = _Lines(db, plan, batch, values)
    return Rendered(lines.pieces(told), len(rows), lines.unknown_encoding, stored)


def view_lines(plan: Plan, batch: Batch) -> bytes:
    """The responses of a plan that needs no columns."""
    template = _template(batch, plan.items)
    words = [_of_view(batch, item.name) for item in plan.items if isinstance(item, Attribute)]
    return b"".join([template % row for row in zip(batch.numbers, *words, strict=True)])


class _Lines:
    """Renders one batch."""

    def __init__(
        self, db: Connection, plan: Plan, batch: Batch, values: dict[str, Sequence[Any]]
    ) -> None:
        self._db = db
        self._plan = plan
        self._batch = batch
        self._values = values
        self.unknown_encoding = False

    def pieces(self, told: frozenset[int]) -> list[Piece]:
        """The lines; those of the UIDs `told` also say flags that nobody asked for: this FETCH has set \\Seen."""
        batch, items = self._batch, self._plan.items
        if self._plan.only_attributes:
            words = [self._values_of(item) for item in items]
            template = _template(batch, items)
            return [b"".join([template % row for row in zip(batch.numbers, *words, strict=True)])]
        words = [self._words(item) for item in items]
        if told:
            words += [self._told(told, name) for name in self._plan.told]
        pieces: list[Piece] = []
        for number, *row in zip(batch.numbers, *words, strict=True):
            pieces += _line(batch.start % number, row)
        return pieces

    def _values_of(self, item: FetchItem) -> Sequence[Any]:
        """An attribute's values for the template."""
        assert isinstance(item, Attribute)
        if item.name not in COLUMNS:
            return _of_view(self._batch, item.name)
        column, render = COLUMNS[item.name]
        values = self._values[column]
        return values if render is None else [render(value) for value in values]

    def _words(self, item: FetchItem) -> Sequence[Word]:
        """An item's words in each line."""
        count = range(len(self._batch.uids))
        match item:
            case Attribute():
                word = _word(item)
                return [word % value for value in self._values_of(item)]
            case Section():
                return [self._section(item, place) for place in count]
            case Binary():
                return [self._binary(item, place) for place in count]

    def _told(self, told: frozenset[int], name: bytes) -> Sequence[Word]:
        word = _word(Attribute(name))
        values = _of_view(self._batch, name)
        pairs = zip(self._batch.uids, values, strict=True)
        return [word % value if uid in told else None for uid, value in pairs]

    def _section(self, section: Section, place: int) -> Word:
        """`label literal`, or `label NIL` for a part that is not there."""
        prefix = self._values["prefix"][place]
        if is_in_header(section) and "header" in self._values:
            return _literal(
                section.label, header_slice(section, prefix + self._values["header"][place]).lead
            )
        content = self._values["content"][place]
        size = content.size if isinstance(content, BlobReference) else len(content)
        found = section_slice(section, prefix, self._values["parts"][place], size)
        if found is None:
            return section.label + b" NIL"
        if section.text.startswith("HEADER.FIELDS"):
            end = min(found.end, found.start + HEADER_LIMIT)  # an attached message may have any
            header = found.lead + self._read(content, found.start, end)
            found = Slice(chosen_fields(section, header), 0, 0).partial(section.partial)
        if isinstance(content, BlobReference) and found.end - found.start > READ_AT_ONCE:
            start = b"%b {%d}\r\n%b" % (section.label, len(found), found.lead)
            return start, Stream(content, found.start, found.end)
        value = found.lead + self._read(content, found.start, found.end)
        return _literal(section.label, value)

    def _binary(self, item: Binary, place: int) -> Word:
        try:
            return decoded_value(
                self._db,
                item,
                self._values["prefix"][place],
                self._values["parts"][place],
                self._values["content"][place],
            )
        except UnknownEncoding:
            self.unknown_encoding = True
            return None

    def _read(self, content: bytes | BlobReference, start: int, end: int) -> bytes:
        if isinstance(content, bytes):
            return content[start:end]
        return read_blob(self._db, content, start, end - start)


def _of_view(batch: Batch, name: bytes) -> Sequence[Any]:
    match name:
        case b"UID":
            return batch.uids
        case b"FLAGS":
            return [batch.texts[flags] for flags in batch.flags]
    return batch.modseqs


def _word(attribute: Attribute) -> bytes:
    """An attribute with a place for its value."""
    return _VIEW_WORDS.get(attribute.name, attribute.name + b" %b")


_VIEW_WORDS = {b"UID": b"UID %d", b"MODSEQ": b"MODSEQ (%d)"}


def _template(batch: Batch, items: Sequence[FetchItem]) -> bytes:
    """One line of attributes, with places for the number and each value."""
    words = [_word(item) for item in items if isinstance(item, Attribute)]
    return batch.start + b" ".join(words) + b")\r\n"


def _line(start: bytes, row: Sequence[Word]) -> list[Piece]:
    """One line, torn where a Stream stands in it; none where nothing is left to say."""
    words = [word for word in row if word is not None]
    if not words:
        return []
    pieces: list[Piece] = []
    texts = [start]
    for word in words:
        if isinstance(word, tuple):
            pieces += [b"".join([*texts, word[0]]), word[1]]
            texts = [b" "]
        else:
            texts += (word, b" ")
    texts[-1:] = [b")\r\n"]
    return [*pieces, b"".join(texts)]


def _literal(label: bytes, value: bytes) -> bytes:
    return b"%b {%d}\r\n%b" % (label, len(value), value)
