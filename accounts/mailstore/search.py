"""SEARCH in one folder. RFC 9051 §6.4.4."""

from typing import Any

import psycopg

from accounts.mailstore.query import Query
from accounts.mailstore.search_conditions import Condition, condition_of
from accounts.mailstore.values import FolderId, MailboxId, Uid

_MESSAGES = "JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id"
_TEXTS = "JOIN mail_search_text t ON t.owner_id = e.owner_id AND t.message_id = e.message_id"


def search(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, query: Query
) -> list[Uid]:
    """The UIDs of the entries that match, in order; none if the folder does not exist. One statement.

    Text needles come folded (`search_texts.fold`).
    """
    condition = condition_of(query)
    rows = db.execute(
        _statement(condition),
        {"owner": owner, "folder": folder_id, **condition.parameters},
        binary=True,
    )
    return [Uid(uid) for (uid,) in rows]


def _statement(condition: Condition) -> str:
    joins = [
        join
        for join, is_read in (
            (_MESSAGES, condition.reads_messages),
            (_TEXTS, condition.reads_texts),
        )
        if is_read
    ]
    return f"""
        SELECT e.uid FROM mail_entry e {" ".join(joins)}
        WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND {condition.sql}
        ORDER BY e.uid
    """
