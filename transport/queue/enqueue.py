"""Puts a message into the outbound queue, inside the caller's transaction.

The caller wakes the workers after its commit (`transport.queue.wakeups.wake(enqueued.next_hops)`); a message whose
wake-up is lost is found by the sweep.
"""

import hashlib
import json
from contextlib import nullcontext
from dataclasses import dataclass

from accounts.mailstore.blobs import INLINE_MAXIMUM, KEEP, drop_unused_object, object_for
from accounts.mailstore.prepared import rows_of
from transport.database_threads import Connection
from transport.outbound.routes import RELAY_PREFIX, next_hop_for


@dataclass(frozen=True, slots=True)
class QueueRecipient:
    """One address that the message goes to, with what RFC 3461 §4 lets its sender ask.

    `forward_path` is `local@domain` without angle brackets. `notify` is "" (not given), "NEVER", or a
    comma-separated list of SUCCESS, FAILURE, DELAY. `orcpt` is `addr-type;xtext` as it came, or "".
    `is_local`: the mailbox is ours and was full or locked; the queue repeats the local delivery.
    """

    forward_path: str
    notify: str = ""
    orcpt: str = ""
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class QueueRequest:
    """A message to send. What leaves is `prefix` + `content` (the signature stands in the prefix).

    `reverse_path` is "" for the null path. `domain_name` is the local domain that sends; its relay is used.
    """

    trace_id: str
    content: bytes
    reverse_path: str
    domain_name: str
    recipients: tuple[QueueRecipient, ...]
    prefix: bytes = b""
    login: str = ""
    ret: str = ""
    envid: str = ""
    body: str = ""
    smtputf8: bool = False
    require_tls: bool = False


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The queue id (of the message) and what to wake after the commit."""

    queue_id: int
    next_hops: tuple[str, ...]


# The relay of the domain that sends, or the one for all: also in `claim`, which notices when it has changed.
RELAY_OF = """(
    SELECT l.id FROM transport_relay l LEFT JOIN accounts_domain d ON d.id = l.domain_id
    WHERE l.domain_id IS NULL OR d.name = {domain_name}
    ORDER BY l.domain_id NULLS LAST LIMIT 1
)"""

_ENQUEUE = f"""
WITH blob AS (
    {KEEP.format(sha256="$1", size="$2", content="$3", object_name="$4")}
), relay AS MATERIALIZED (
    SELECT {RELAY_OF.format(domain_name="$8::text")} AS id
), message AS (
    INSERT INTO transport_queuedmessage (trace_id, blob_id, prefix, size, reverse_path, domain_name, login, ret,
        envid, body, smtputf8, require_tls, created_at)
    VALUES ($5, (SELECT id FROM blob), $6, $2 + length($6::bytea), $7, $8::text, $9, $10, $11, $12, $13, $14,
        clock_timestamp())
    RETURNING id
), recipients AS (
    INSERT INTO transport_queuedrecipient (message_id, forward_path, next_hop, notify, orcpt, state, attempts,
        next_attempt_at, last_status, last_reply, last_host, delay_notified)
    SELECT m.id, t.forward_path,
        CASE WHEN r.id IS NULL OR t.is_local THEN t.next_hop ELSE '{RELAY_PREFIX}' || r.id END,
        t.notify, t.orcpt, 'waiting', 0, clock_timestamp(), '', '', '', false
    FROM jsonb_to_recordset($15::jsonb) AS t (forward_path text, next_hop text, notify text, orcpt text,
        is_local boolean), message m, relay r
)
SELECT m.id, r.id, b.object_name FROM message m, relay r, blob b
""".encode()


def enqueue(db: Connection, request: QueueRequest) -> Enqueued:
    """Write the message and its recipients; one transaction of its own, or part of the caller's."""
    content = request.content
    recipients = [
        {
            "forward_path": recipient.forward_path,
            "next_hop": next_hop_for(recipient.forward_path, None, is_local=recipient.is_local),
            "notify": recipient.notify,
            "orcpt": recipient.orcpt,
            "is_local": recipient.is_local,
        }
        for recipient in request.recipients
    ]
    with db.transaction() if len(content) > INLINE_MAXIMUM else nullcontext():
        sha256 = hashlib.sha256(content).digest()
        object_name = object_for(db, content, sha256)
        values = [
            sha256,
            len(content),
            None if object_name else content,
            object_name,
            request.trace_id,
            request.prefix,
            request.reverse_path,
            request.domain_name,
            request.login,
            request.ret,
            request.envid,
            request.body,
            request.smtputf8,
            request.require_tls,
            json.dumps(recipients),
        ]
        ((queue_id, relay_id, kept_object),) = rows_of(db, _ENQUEUE, values)
    drop_unused_object(object_name, kept_object)
    hops = [
        next_hop_for(recipient.forward_path, relay_id, is_local=recipient.is_local)
        for recipient in request.recipients
    ]
    return Enqueued(queue_id, tuple(dict.fromkeys(hops)))
