"""TraceEvent: what was decided and done about each message on its way.

Every accepting transaction writes its own events; refusals are written in batches and never make a reply wait.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg


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


_INSERT = """
INSERT INTO trace_event (trace_id, step, result, reason, sender, recipient, queue_id, detail)
SELECT t.* FROM jsonb_to_recordset(%s) AS t (trace_id text, step text, result text, reason text,
    sender text, recipient text, queue_id bigint, detail jsonb)
"""


def write_trace(db: psycopg.Connection[Any], events: Sequence[TraceEvent]) -> None:
    """Write `events` in one statement."""
    if events:
        rows = json.dumps([trace_row(event) for event in events])
        db.execute(_INSERT, [rows], prepare=True, binary=True)


def trace_row(event: TraceEvent) -> dict[str, Any]:
    """An event as JSON for jsonb_to_recordset; PostgreSQL's text holds no NUL and no lone surrogates."""
    return {
        "trace_id": event.trace_id,
        "step": event.step,
        "result": event.result,
        "reason": clean(event.reason),
        "sender": clean(event.sender),
        "recipient": clean(event.recipient),
        "queue_id": event.queue_id,
        "detail": _clean_json(dict(event.detail)),
    }


def clean(text: str) -> str:
    """What PostgreSQL's text can hold of `text`."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _clean_json(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {clean(str(key)): _clean_json(item) for key, item in value.items()}
        case list() | tuple():
            return [_clean_json(item) for item in value]
        case _:
            return value
