"""FETCH: what is ready to send, by columns; nothing is parsed here (RFC 9051 §6.4.5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import psycopg

from accounts.mailstore.objects import read_object
from accounts.mailstore.prepared import rows_of
from accounts.mailstore.uid_choice import numbered
from accounts.mailstore.values import BlobId, FolderId, MailboxId, Uid

Column = Literal[
    "flags",  # int
    "modseq",  # int
    "internal_date",  # datetime
    "save_date",  # datetime
    "message_id",  # int: the row, EMAILID
    "thread_id",  # int | None
    "size",  # int: prefix and blob
    "prefix",  # bytes
    "header",  # bytes: the blob's header with the empty line; what a client reads is prefix + header
    "envelope",  # bytes
    "body",  # bytes
    "body_structure",  # bytes
    "parts",  # bytes: offsets into the blob
    "content",  # bytes | BlobReference: the blob; a reference when it is large
    "blob",  # BlobReference
    "preview",  # str
]

INLINE_OCTETS = 65_536
"""A larger blob comes as a reference."""
PIECE = 256 * 1024
_BLOB_COLUMNS = "b.id, b.size, b.object_name"
_EXPRESSIONS = {
    "flags": "e.flags",
    "modseq": "e.modseq",
    "internal_date": "e.internal_date",
    "save_date": "e.save_date",
    "message_id": "e.message_id",
    "thread_id": "m.thread_id",
    "size": "m.size",
    "prefix": "m.prefix",
    "header": f"substring(b.content FROM 1 FOR m.header_size::int), m.header_size, {_BLOB_COLUMNS}",
    "envelope": "r.envelope",
    "body": "r.body",
    "body_structure": "r.body_structure",
    "parts": "r.parts",
    "content": f"CASE WHEN b.size <= {INLINE_OCTETS} THEN b.content END, {_BLOB_COLUMNS}",
    "blob": _BLOB_COLUMNS,
    "preview": """COALESCE(r.preview, (
        SELECT left(replace(t.body, E'\\n', ' '), 200) FROM mail_search_text t
        WHERE t.owner_id = e.owner_id AND t.message_id = e.message_id), '')""",
}


@dataclass(frozen=True, slots=True)
class BlobReference:
    """A blob to be read in pieces by `read_blob`."""

    id: BlobId
    size: int
    object_name: str


def fetch(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    columns: Sequence[Column],
) -> list[tuple[Any, ...]]:
    """(uid, *columns) of those of `uids` (in order) that exist, in order of UID. One round trip.

    The caller asks for as many UIDs as it wants in memory at once.
    """
    choice, parameters = numbered(uids, 3)
    rows = rows_of(db, _statement(tuple(columns), choice), [owner, folder_id, *parameters])
    if {"header", "content", "blob"}.isdisjoint(columns):
        return rows
    return [_assemble(row, columns) for row in rows]


@lru_cache(maxsize=256)
def _statement(columns: tuple[Column, ...], choice: str) -> bytes:
    """Joins what the columns need, and no more."""
    expressions = ", ".join(["e.uid", *(_EXPRESSIONS[column] for column in columns)])
    joins = ""
    if any(alias in expressions for alias in ("m.", "b.")):
        joins += _LOOK_UP.format(
            "mail_message", "m", "m.owner_id = e.owner_id AND m.id = e.message_id"
        )
    if "b." in expressions:
        joins += _LOOK_UP.format("mail_blob", "b", "b.id = m.blob_id")
    if "r." in expressions:
        joins += _LOOK_UP.format(
            "mail_rendered", "r", "r.owner_id = e.owner_id AND r.message_id = e.message_id"
        )
    return (
        f"SELECT {expressions} FROM mail_entry e{joins}"
        f" WHERE e.owner_id = $1 AND e.folder_id = $2 AND {choice} ORDER BY e.uid"
    ).encode()


# LIMIT 1 makes a look-up of each row: for a thousand rows the planner would read a whole table.
_LOOK_UP = " CROSS JOIN LATERAL (SELECT * FROM {0} {1} WHERE {2} LIMIT 1) AS {1}"


def _assemble(row: tuple[Any, ...], columns: Sequence[Column]) -> tuple[Any, ...]:
    """One value a column, of a row that holds several for those of the blob."""
    values = iter(row)
    result = [next(values)]
    for column in columns:
        value = next(values)
        match column:
            case "header":
                size, _, _, name = next(values), next(values), next(values), next(values)
                result.append(read_object(name, 0, size) if value is None else value)
            case "content":
                blob = next(values), next(values), next(values)
                result.append(BlobReference(*blob) if value is None else value)
            case "blob":
                result.append(BlobReference(value, next(values), next(values)))
            case _:
                result.append(value)
    return tuple(result)


def read_blob(
    db: psycopg.Connection[Any], blob: BlobReference, start: int = 0, length: int | None = None
) -> bytes:
    """A slice of a blob; beyond its end it is shorter. Raises LookupError when the blob is gone."""
    length = max(0, blob.size - start) if length is None else length
    if blob.object_name:
        return read_object(blob.object_name, start, length)
    row = db.execute(
        "SELECT substring(content FROM %s FOR %s) FROM mail_blob WHERE id = %s",
        [start + 1, length, blob.id],
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        raise LookupError(f"no blob {blob.id}")
    piece: bytes = row[0]
    return piece


def read_blob_in_pieces(
    db: psycopg.Connection[Any], blob: BlobReference, start: int, length: int
) -> Iterator[bytes]:
    """The same in pieces of at most PIECE octets."""
    end = min(start + length, blob.size)
    for at in range(start, end, PIECE):
        yield read_blob(db, blob, at, min(PIECE, end - at))
