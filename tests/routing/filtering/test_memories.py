"""What scripts remember: one of two wins, what is over is gone."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from routing.filtering.memories import (
    MemoryTaken,
    OwnMemory,
    forget_expired,
    remember,
    was_seen,
)
from routing.sieve.actions import Memory

Database = psycopg.Connection[Any]


def test_a_new_memory_is_taken_once(database: Database, make_user: Callable[..., Any]) -> None:
    owner, other = make_user().mailbox.id, make_user().mailbox.id
    memory = Memory("duplicate", b"id", 60)
    assert not was_seen(database, owner, "duplicate", b"id")
    remember(database, [OwnMemory(owner, memory, is_new=True)])
    assert was_seen(database, owner, "duplicate", b"id")
    assert not was_seen(database, owner, "vacation", b"id")
    assert not was_seen(database, other, "duplicate", b"id")
    with pytest.raises(MemoryTaken), database.transaction():
        remember(database, [OwnMemory(owner, memory, is_new=True)])
    remember(database, [OwnMemory(owner, memory, is_new=False)])


def test_what_is_over_is_new_again(database: Database, make_user: Callable[..., Any]) -> None:
    owner = make_user().mailbox.id
    memory = OwnMemory(owner, Memory("duplicate", b"id", 60), is_new=True)
    remember(database, [memory])
    database.execute("UPDATE routing_memory SET expires_at = now() WHERE mailbox_id = %s", (owner,))
    assert not was_seen(database, owner, "duplicate", b"id")
    remember(database, [memory])
    assert was_seen(database, owner, "duplicate", b"id")
    database.execute("UPDATE routing_memory SET expires_at = now() WHERE mailbox_id = %s", (owner,))
    forget_expired(database)
    rows = database.execute("SELECT FROM routing_memory WHERE mailbox_id = %s", (owner,))
    assert rows.fetchall() == []


def test_memories_go_with_their_mailbox(database: Database, make_user: Callable[..., Any]) -> None:
    owner = make_user().mailbox.id
    remember(database, [OwnMemory(owner, Memory("duplicate", b"id", 60), is_new=True)])
    rows = database.execute(
        "SELECT confdeltype::text FROM pg_constraint WHERE conrelid = 'routing_memory'::regclass"
        " AND contype = 'f'"
    )
    assert rows.fetchall() == [("c",)]
