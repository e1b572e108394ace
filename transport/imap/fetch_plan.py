"""What a FETCH reads of the mail store for the items asked for, pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.mailstore.reading import Column
from accounts.mailstore.wire_strings import string
from transport.imap.sections import is_in_header
from transport.imap.wire.dates import format_date_time
from transport.imap.wire.fetch_items import Attribute, Binary, FetchItem, Section
from transport.imap.wire.modes import Modes
from transport.imap.wire.object_ids import email_id, thread_id

COLUMN_BATCH = 1000
HEADER_BATCH = 100
CONTENT_BATCH = 100

FROM_VIEW = frozenset((b"UID", b"FLAGS", b"MODSEQ"))


def _thread(number: int | None) -> bytes:
    return b"NIL" if number is None else b"(" + thread_id(number) + b")"


def _email(number: int) -> bytes:
    return b"(" + email_id(number) + b")"


def _preview(text: str) -> bytes:
    """A quoted string, or a literal where it holds other than US-ASCII."""
    return string(text.encode())


COLUMNS: dict[bytes, tuple[Column, Callable[[Any], bytes] | None]] = {
    b"INTERNALDATE": ("internal_date", format_date_time),
    b"SAVEDATE": ("save_date", format_date_time),
    b"RFC822.SIZE": ("size", b"%d".__mod__),
    b"ENVELOPE": ("envelope", None),
    b"BODY": ("body", None),
    b"BODYSTRUCTURE": ("body_structure", None),
    b"EMAILID": ("message_id", _email),
    b"THREADID": ("thread_id", _thread),
    b"PREVIEW": ("preview", _preview),
}
"""Each attribute's column, and how its value becomes bytes; None: it is ready to send."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns` of the mail store, in batches of `batch`; none, where the session's view knows everything.

    `told` are the attributes that follow where reading has set \\Seen.
    """

    items: tuple[FetchItem, ...]
    columns: tuple[Column, ...]
    batch: int
    sets_seen: bool
    told: tuple[bytes, ...]
    only_attributes: bool


def make_plan(items: Sequence[FetchItem], modes: Modes, *, by_uid: bool, modseq: bool) -> Plan:
    """`by_uid` adds UID (where lines are not numbered by it anyway) and `modseq` MODSEQ, if they were not asked for."""
    first = [Attribute(b"UID")] if by_uid and not modes.uid_only else []
    last = [Attribute(b"MODSEQ")] if modseq else []
    wanted = dict.fromkeys((*first, *items, *last))
    columns: dict[Column, None] = {}
    batch = COLUMN_BATCH
    for item in wanted:
        match item:
            case Attribute(name) if name in COLUMNS:
                columns[COLUMNS[name][0]] = None
            case Section() if is_in_header(item):
                columns |= {"prefix": None, "header": None}
                batch = min(batch, HEADER_BATCH)
            case Section() | Binary():
                columns |= {"prefix": None, "content": None, "parts": None}
                batch = CONTENT_BATCH
    sections = sum(not isinstance(item, Attribute) for item in wanted)
    batch //= max(1, sections)
    sets_seen = any(isinstance(item, Section | Binary) and not item.peek for item in wanted)
    told = [b"FLAGS"]
    if modes.condstore:  # RFC 7162 §3.2.4: the UID too
        told = [b"FLAGS", b"MODSEQ"] if modes.uid_only else [b"UID", b"FLAGS", b"MODSEQ"]
    return Plan(
        tuple(wanted),
        tuple(columns),
        batch,
        sets_seen,
        tuple(name for name in told if Attribute(name) not in wanted),
        all(isinstance(item, Attribute) for item in wanted),
    )
