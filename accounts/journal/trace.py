"""TraceEvent: what was decided and done about each message on its way.

Every accepting transaction writes its own events; refusals are written in batches and never make a reply wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One step of one message. `result` is a word ("accepted", "refused", "stored" ...), `reason` for people."""

    trace_id: str
    step: str
    result: str
    reason: str = ""
    sender: str = ""
    recipient: str = ""
    queue_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


INSERT_TRACE = """
INSERT INTO trace_event (trace_id, step, result, reason, sender, recipient, queue_id, detail)
SELECT * FROM unnest(%(trace_ids)s::text[], %(steps)s::text[], %(results)s::text[], %(reasons)s::text[],
    %(senders)s::text[], %(recipients)s::text[], %(queue_ids)s::bigint[], %(details)s::jsonb[])
"""


def trace_columns(events: Sequence[TraceEvent]) -> dict[str, Any]:
    """The parameters of INSERT_TRACE."""
    return {
        "trace_ids": [event.trace_id for event in events],
        "steps": [event.step for event in events],
        "results": [event.result for event in events],
        "reasons": [_clean(event.reason) for event in events],
        "senders": [_clean(event.sender) for event in events],
        "recipients": [_clean(event.recipient) for event in events],
        "queue_ids": [event.queue_id for event in events],
        "details": [Jsonb(dict(event.detail)) for event in events],
    }


def write_trace(db: psycopg.Connection[Any], events: Sequence[TraceEvent]) -> None:
    """Write `events` in one statement."""
    if events:
        db.execute(INSERT_TRACE, trace_columns(events), prepare=True, binary=True)


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
