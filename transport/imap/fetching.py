"""FETCH's responses: what to read for the items asked for, and each message's line from what was read.

What the session's view holds (UID, FLAGS, MODSEQ) is answered from there; ENVELOPE and its like were rendered at
delivery; large blobs are read and sent in pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.mailstore.flagbits import SEEN
from accounts.mailstore.flags import Stored, store_flags
from accounts.mailstore.reading import BlobReference, Column, fetch, read_blob
from accounts.mailstore.values import FolderId, MailboxId, Uid
from transport.database_threads import Connection as Database
from transport.imap.sections import (
    Slice,
    chosen_fields,
    header_slice,
    is_in_header,
    section_slice,
)
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.wire.dates import format_date_time
from transport.imap.wire.fetch_items import Attribute, FetchItem, Section

PIECE = 262_144
"""Octets of a large blob that are in memory at once."""
VIEW_BATCH = 5000
COLUMN_BATCH = 1000
HEADER_BATCH = 200
CONTENT_BATCH = 25

FROM_VIEW = frozenset((b"UID", b"FLAGS", b"MODSEQ"))

_COLUMNS: dict[bytes, tuple[Column, Callable[[Any], bytes]]] = {
    b"INTERNALDATE": ("internal_date", format_date_time),
    b"RFC822.SIZE": ("size", b"%d".__mod__),
    b"ENVELOPE": ("envelope", bytes),
    b"BODY": ("body", bytes),
    b"BODYSTRUCTURE": ("body_structure", bytes),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a FETCH needs: `columns` of the mail store, in batches of `batch`."""

    items: tuple[FetchItem, ...]
    columns: tuple[Column, ...]
    batch: int
    sets_seen: bool


def make_plan(items: Sequence[FetchItem], *, by_uid: bool, modseq: bool) -> Plan:
    """`by_uid` adds UID and `modseq` MODSEQ, where they were not asked for."""
    added_first: list[FetchItem] = [Attribute(b"UID")] if by_uid else []
    added_last: list[FetchItem] = [Attribute(b"MODSEQ")] if modseq else []
    wanted = dict.fromkeys((*added_first, *items, *added_last))
    columns: dict[Column, None] = {}
    batch = COLUMN_BATCH
    for item in wanted:
        match item:
            case Attribute(name) if name in _COLUMNS:
                columns[_COLUMNS[name][0]] = None
            case Section() if is_in_header(item):
                columns |= {"prefix": None, "header": None}
                batch = min(batch, HEADER_BATCH)
            case Section():
                columns |= {"prefix": None, "content": None, "parts": None}
                batch = CONTENT_BATCH
    sets_seen = any(isinstance(item, Section) and not item.peek for item in wanted)
    return Plan(tuple(wanted), tuple(columns), batch, sets_seen)


def view_lines(selection: Selection, plan: Plan, places: Sequence[int]) -> bytes:
    """The responses of a plan that needs no columns."""
    view, texts = selection.view, selection.flag_texts
    words: list[bytes] = []
    values: list[Any] = [[place + 1 for place in places]]
    for item in plan.items:
        match item.name if isinstance(item, Attribute) else b"":
            case b"UID":
                words.append(b"UID %d")
                values.append([view.uids[place] for place in places])
            case b"FLAGS":
                words.append(b"FLAGS %b")
                values.append([texts[view.flags[place]] for place in places])
            case b"MODSEQ":
                words.append(b"MODSEQ (%d)")
                values.append([view.modseqs[place] for place in places])
    line = b"* %d FETCH (" + b" ".join(words) + b")\r\n"
    return b"".join([line % row for row in zip(*values, strict=True)])


def read_batch(
    db: Database,
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    unseen: Sequence[Uid],
    columns: Sequence[Column],
) -> tuple[Stored | None, list[tuple[Any, ...]]]:
    """Set \\Seen on `unseen`, and read `columns` of `uids`."""
    stored = None
    if unseen:
        stored = store_flags(db, owner, folder_id, unseen, "add", ("\\Seen",))
    return stored, fetch(db, owner, folder_id, uids, columns)


async def send_batch(
    session: Session, selection: Selection, plan: Plan, places: Sequence[int]
) -> int:
    """Read and send some messages; how many of them were there."""
    view = selection.view
    uids = [Uid(view.uids[place]) for place in places]
    sets_seen = plan.sets_seen and not selection.read_only
    unseen = [Uid(view.uids[p]) for p in places if not view.flags[p] & SEEN] if sets_seen else []
    stored, rows = await session.run_long(
        read_batch, selection.owner, selection.folder_id, uids, unseen, plan.columns
    )
    newly_seen: frozenset[int] = frozenset()
    if stored is not None and stored.changed:
        selection.learn_keywords(stored.keywords)
        view.told(stored.changed)
        newly_seen = frozenset(uid for uid, _, _ in stored.changed)
        session.services.notifier.publish([selection.folder_id])
    for row in rows:
        place = view.index(row[0])
        if place is not None:
            await _send_row(session, selection, plan, place, row, tell_flags=row[0] in newly_seen)
    return len(rows)


async def _send_row(
    session: Session,
    selection: Selection,
    plan: Plan,
    place: int,
    row: tuple[Any, ...],
    *,
    tell_flags: bool,
) -> None:
    values: dict[str, Any] = dict(zip(("uid", *plan.columns), row, strict=True))
    session.write(b"* %d FETCH (" % (place + 1))
    for number, item in enumerate(plan.items):
        if number:
            session.write(b" ")
        if isinstance(item, Section):
            await _send_section(session, item, values)
        else:
            session.write(item.name + b" " + _attribute(selection, place, item.name, values))
    if tell_flags and Attribute(b"FLAGS") not in plan.items:
        session.write(b" FLAGS " + selection.flag_texts[selection.view.flags[place]])
        if session.condstore and Attribute(b"MODSEQ") not in plan.items:
            session.write(b" MODSEQ (%d)" % selection.view.modseqs[place])
    session.write(b")\r\n")


def _attribute(selection: Selection, place: int, name: bytes, values: dict[str, Any]) -> bytes:
    view = selection.view
    match name:
        case b"UID":
            return b"%d" % view.uids[place]
        case b"FLAGS":
            return selection.flag_texts[view.flags[place]]
        case b"MODSEQ":
            return b"(%d)" % view.modseqs[place]
    column, render = _COLUMNS[name]
    return render(values[column])


async def _send_section(session: Session, section: Section, values: dict[str, Any]) -> None:
    """`label literal`, or `label NIL` for a part that is not there."""
    if is_in_header(section):
        value: Slice | None = header_slice(section, values["prefix"] + values["header"])
        content: bytes | BlobReference = b""
    else:
        content = values["content"]
        size = content.size if isinstance(content, BlobReference) else len(content)
        value = section_slice(section, values["prefix"], values["parts"], size)
    if value is None:
        return session.write(section.label + b" NIL")
    if not is_in_header(section) and section.text.startswith("HEADER.FIELDS"):
        header = await _read(session, content, value.start, value.end)
        value = Slice(chosen_fields(section, header), 0, 0).partial(section.partial)
    session.write(section.label + b" {%d}\r\n" % len(value))
    session.write(value.lead)
    for start in range(value.start, value.end, PIECE):
        session.write(await _read(session, content, start, min(start + PIECE, value.end)))
        await session.connection.drain()


async def _read(session: Session, content: bytes | BlobReference, start: int, end: int) -> bytes:
    """A slice of a blob. What was promised in a literal's size must follow, or the connection is lost."""
    if isinstance(content, BlobReference):
        piece = await session.run_long(read_blob, content, start, end - start)
    else:
        piece = content[start:end]
    if len(piece) != end - start:
        raise RuntimeError(f"a blob is shorter than its parts say: {start} to {end}")
    return piece
