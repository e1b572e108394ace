"""The journals: what is written, and how long it stays."""

import uuid
from typing import Any

import psycopg

from accounts.journal.retention import EVENT_DAYS, TRACE_DAYS, trim_journals
from accounts.journal.trace import TraceEvent, write_trace
from accounts.mailstore.values import MailboxId
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]


def test_trace_events_are_written_in_one_statement(database: Database) -> None:
    trace_id = uuid.uuid4().hex
    write_trace(
        database,
        [
            TraceEvent(trace_id, "mail", "refused", "no \0 such\ud800", "<a@b>", "c@d", 7),
            TraceEvent(trace_id, "rcpt", "accepted", detail={"list": [1, "\0x"], "n\0": None}),
        ],
    )
    write_trace(database, [])
    query = (
        "SELECT step, result, reason, sender, recipient, queue_id, detail FROM trace_event"
        " WHERE trace_id = %s ORDER BY id"
    )
    assert database.execute(query, [trace_id]).fetchall() == [
        ("mail", "refused", "no  such?", "<a@b>", "c@d", 7, {}),
        ("rcpt", "accepted", "", "", "", None, {"list": [1, "x"], "n": None}),
    ]


def test_old_rows_go(database: Database, mailbox: MailboxId) -> None:
    trace_id = uuid.uuid4().hex
    with psycopg.connect(database.info.dsn) as other:  # rolled back: others need their journals
        deliver(other, mailbox)
        write_trace(other, [TraceEvent(trace_id, "old", "x"), TraceEvent(trace_id, "new", "x")])
        for table, days in (("mail_event", EVENT_DAYS), ("trace_event", TRACE_DAYS)):
            other.execute(f"UPDATE {table} SET at = at - make_interval(days => %s)", [days + 1])
        other.execute("UPDATE trace_event SET at = now() WHERE step = 'new'")
        assert trim_journals(other) >= 2
        steps = other.execute("SELECT step FROM trace_event WHERE trace_id = %s", [trace_id])
        assert steps.fetchall() == [("new",)]
        events = other.execute("SELECT FROM mail_event WHERE owner_id = %s", [mailbox])
        assert events.fetchone() is None
        other.rollback()
