"""append_message: one message to all its placements, in one statement (`append_statements`)."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import psycopg

from accounts.journal.acceptances import CONSTRAINT, Acceptance, AlreadyAccepted
from accounts.journal.trace import TraceEvent, trace_row
from accounts.mailstore.append_statements import statement_for_many, statement_for_one
from accounts.mailstore.blobs import (
    INLINE_MAXIMUM,
    drop_unused_object,
    keep_blob,
    object_for,
)
from accounts.mailstore.conversations import LOOK_UPS_MAXIMUM, conversation_of
from accounts.mailstore.flagbits import (
    DELETED,
    KEYWORD_LENGTH_MAXIMUM,
    SEEN,
    split_flags,
    with_synonyms,
)
from accounts.mailstore.folders import create_special_folder
from accounts.mailstore.headers import header_end
from accounts.mailstore.prepared import Parameter, Prepared, rows_before, rows_of
from accounts.mailstore.rendering import derived_columns
from accounts.mailstore.values import (
    Appended,
    FolderId,
    MailboxId,
    MessageId,
    ModSeq,
    NewMessage,
    NoSuchFolder,
    OverQuota,
    Placement,
    Uid,
)

Last = tuple[Prepared, Sequence[Parameter]]


def append_message(
    db: psycopg.Connection[Any],
    message: NewMessage,
    placements: Sequence[Placement],
    *,
    cause: str,
    trace: Sequence[TraceEvent] = (),
    once: Acceptance | None = None,
    last: Last | None = None,
) -> tuple[Appended, ...]:
    """Store `message` for every placement, or for none: one statement, one round trip.

    A message whose blob is an object takes a transaction of two statements. `cause` goes to the journal ("smtp",
    "imap", "dsn", ...), and `trace` to the trace of the message, in the same transaction. Placements of one owner
    with the same prefix share one message row. A placement keeps its place in the result. `once` is remembered with it.
    `last` runs after it in the same transaction and round trip, also when nothing was stored. Raises OverQuota, NoSuchFolder,
    AlreadyAccepted, and what `last` raises.
    """
    try:
        return _append(db, message, placements, cause, trace, once, last)
    except NoSuchFolder:
        if not _make_special_folders(db, placements):
            raise
    return _append(db, message, placements, cause, trace, once, last)


def append_messages(
    db: psycopg.Connection[Any],
    messages: Sequence[tuple[NewMessage, Placement]],
    *,
    cause: str,
) -> tuple[Appended, ...]:
    """Several messages, all or none (RFC 3502), in one transaction, each with its modseq.

    The blobs are stored first and in one order, so that two such transactions cannot wait for each other.
    Raises OverQuota, NoSuchFolder.
    """
    with db.transaction():
        contents = {message.sha256: message.content for message, _ in messages}
        for sha256 in sorted(contents):
            keep_blob(db, contents[sha256], sha256)
        return tuple(
            appended
            for message, placement in messages
            for appended in append_message(db, message, [placement], cause=cause)
        )


def _append(
    db: psycopg.Connection[Any],
    message: NewMessage,
    placements: Sequence[Placement],
    cause: str,
    trace: Sequence[TraceEvent],
    once: Acceptance | None,
    last: Last | None,
) -> tuple[Appended, ...]:
    is_large = len(message.content) > INLINE_MAXIMUM
    with db.transaction() if is_large else nullcontext():
        object_name = object_for(db, message.content, message.sha256)
        parameters = _parameters(message, object_name, cause, trace, once)
        if len(placements) == 1:
            statement, names = _for_one(message, placements[0], parameters)
        else:
            statement, names = _for_many(message, placements, parameters)
        try:
            values = [parameters[name] for name in names]
            rows = (
                rows_before(db, statement, values, *last)
                if last
                else rows_of(db, statement, values)
            )
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name != CONSTRAINT:
                raise
            raise AlreadyAccepted from None
        kept_object, over_quota, first_owner = rows[0][:3]
        if over_quota is not None:
            raise OverQuota(MailboxId(over_quota))
        if first_owner is None:
            raise NoSuchFolder
    drop_unused_object(object_name, kept_object)
    return tuple(
        Appended(MailboxId(owner), FolderId(folder), validity, Uid(uid), MessageId(id_), ModSeq(m))
        for _, _, owner, folder, validity, uid, id_, m in rows
    )


def _make_special_folders(db: psycopg.Connection[Any], placements: Sequence[Placement]) -> bool:
    """Make again what the owners deleted; whether anything was missing."""
    made = [
        create_special_folder(db, placement.owner, placement.special_use)
        for placement in placements
        if placement.folder is None and not placement.name
    ]
    return any(made)


def _for_one(
    message: NewMessage, placement: Placement, parameters: dict[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    flags, keywords = split_flags(placement.flags)
    parameters |= {
        "owner": placement.owner,
        "folder": placement.folder,
        "use": placement.special_use,
        "name": placement.name,
        "prefix": placement.prefix,
        "full_size": len(message.content) + len(placement.prefix),
        "unseen": int(not flags & SEEN),
        "deleted": int(bool(flags & DELETED)),
        "flags": flags,
        "keywords": _fitting(keywords),
        "date": placement.internal_date,
    }
    return statement_for_one(
        _way_to_folder(placement),
        has_keywords=bool(keywords),
        events=parameters["events"],
        is_once="fingerprint" in parameters,
        is_reply=bool(parameters["recent_ids"]),
    )


def _way_to_folder(placement: Placement) -> str:
    if placement.folder is not None:
        return "id"
    if placement.name:
        return "name"
    return "special_use" if placement.special_use else "inbox"


def _for_many(
    message: NewMessage, placements: Sequence[Placement], parameters: dict[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    messages: dict[tuple[MailboxId, bytes], int] = {}
    rows = []
    for place, placement in enumerate(placements):
        flags, keywords = split_flags(placement.flags)
        date = placement.internal_date
        key = (placement.owner, placement.prefix)
        rows.append(
            {
                "place": place,
                "owner": placement.owner,
                "folder": placement.folder,
                "use": placement.special_use,
                "message": messages.setdefault(key, len(messages)),
                "size": len(message.content) + len(placement.prefix),
                "flags": flags,
                "keywords": _fitting(keywords),
                "date": date.isoformat() if date else None,
            }
        )
    parameters |= {
        "placements": json.dumps(rows),
        "messages": json.dumps(
            [
                {"message": number, "owner": owner, "prefix": prefix.hex()}
                for (owner, prefix), number in messages.items()
            ]
        ),
    }
    return statement_for_many(
        len(placements),
        events=parameters["events"],
        is_once="fingerprint" in parameters,
        is_reply=bool(parameters["recent_ids"]),
    )


def _parameters(
    message: NewMessage,
    object_name: str,
    cause: str,
    trace: Sequence[TraceEvent],
    once: Acceptance | None,
) -> dict[str, Any]:
    """What does not depend on the placements."""
    memory = {"fingerprint": once.fingerprint, "accepted_as": once.trace_id} if once else {}
    return memory | {
        "sha256": message.sha256,
        "size": len(message.content),
        "content": None if object_name else message.content,
        "object_name": object_name,
        "header_size": header_end(message.content),
        "cause": cause,
        "conversation": conversation_of(message.structure, message.sha256),
        "recent_ids": list(message.structure.reference_ids[-LOOK_UPS_MAXIMUM:]),
        **derived_columns(message.structure),
        **_trace_parameters(trace),
    }


def _trace_parameters(trace: Sequence[TraceEvent]) -> dict[str, Any]:
    rows = [trace_row(event) for event in trace]
    if len(rows) == 1:
        [row] = rows
        row["detail"] = json.dumps(row["detail"])
        return {"events": 1} | {f"trace_{name}": value for name, value in row.items()}
    return {"events": min(len(rows), 2), "trace": json.dumps(rows)}


def _fitting(keywords: Sequence[str]) -> list[str]:
    return [name for name in with_synonyms(keywords) if len(name) <= KEYWORD_LENGTH_MAXIMUM]
