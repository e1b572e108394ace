"""SEARCH in one folder. RFC 9051 §6.4.4."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg

from accounts.mailstore.numbering import unpack
from accounts.mailstore.query import Query
from accounts.mailstore.search_conditions import Condition, condition_of
from accounts.mailstore.values import FolderId, MailboxId, Uid

_MESSAGES = "JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id"
_TEXTS = "JOIN mail_search_text t ON t.owner_id = e.owner_id AND t.message_id = e.message_id"
# The planner does not know what it costs to fetch and scan long texts: without this it would use one core.
_IN_PARALLEL = """
SELECT set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true),
    set_config('min_parallel_table_scan_size', '0', true)
"""


def search(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, query: Query
) -> list[Uid]:
    """The UIDs of the entries that match, in order; none if the folder does not exist. One statement.

    Text needles come folded (`search_texts.fold`).
    """
    condition = condition_of(query)
    statement = f"""
        SELECT string_agg(int8send(uid), NULL) FROM (
            SELECT e.uid {_matches(condition)} ORDER BY e.uid) AS found
    """
    row = _run(db, owner, folder_id, condition, statement)[0]
    return [Uid(uid) for uid in unpack(row[0])]


def search_scored(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, query: Query
) -> dict[int, int]:
    """The same, each with its relevancy from 1 to 100 (RFC 6203 §4)."""
    condition = condition_of(query)
    statement = f"SELECT e.uid, {condition.score} {_matches(condition)}"
    return dict(_run(db, owner, folder_id, condition, statement))


def _matches(condition: Condition) -> str:
    joins = [
        join
        for join, is_read in (
            (_MESSAGES, condition.reads_messages),
            (_TEXTS, condition.reads_texts),
        )
        if is_read
    ]
    return f"""
        FROM mail_entry e {" ".join(joins)}
        WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND {condition.sql}
    """


def _run(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    condition: Condition,
    statement: str,
) -> list[tuple[Any, ...]]:
    """Planned anew each time: how many match depends on the needle and the folder."""
    transaction: AbstractContextManager[Any] = (
        db.transaction() if condition.reads_long_texts else nullcontext()
    )
    with transaction:
        if condition.reads_long_texts:
            db.execute(_IN_PARALLEL, prepare=True)
        parameters = {"owner": owner, "folder": folder_id, **condition.parameters}
        return db.execute(statement, parameters, prepare=False, binary=True).fetchall()
