"""Puts a message into the outbound queue, inside the caller's transaction.

The caller wakes the workers after its commit (`transport.queue.wakeups.wake(enqueued.next_hops)`); a message whose
wake-up is lost is found by the sweep.
"""

import hashlib
import json
from dataclasses import dataclass

from accounts.mailstore.blobs import keep_blob
from transport.database_threads import Connection
from transport.outbound.routes import next_hop_for


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

_INSERT_MESSAGE = f"""
INSERT INTO transport_queuedmessage (trace_id, blob_id, prefix, size, reverse_path, domain_name, login, ret, envid,
    body, smtputf8, require_tls, created_at)
VALUES (%(trace_id)s, %(blob_id)s, %(prefix)s, %(size)s, %(reverse_path)s, %(domain_name)s, %(login)s, %(ret)s,
    %(envid)s, %(body)s, %(smtputf8)s, %(require_tls)s, clock_timestamp())
RETURNING id, {RELAY_OF.format(domain_name="%(domain_name)s")}
"""

_INSERT_RECIPIENTS = """
INSERT INTO transport_queuedrecipient (message_id, forward_path, next_hop, notify, orcpt, state, attempts,
    next_attempt_at, last_status, last_reply, last_host, delay_notified)
SELECT %(message_id)s::bigint, t.forward_path, t.next_hop, t.notify, t.orcpt, 'waiting', 0, clock_timestamp(), '',
    '', '', false
FROM jsonb_to_recordset(%(recipients)s) AS t (forward_path text, next_hop text, notify text, orcpt text)
"""


def enqueue(db: Connection, request: QueueRequest) -> Enqueued:
    """Write the message and its recipients; one transaction of its own, or part of the caller's."""
    with db.transaction():
        blob_id = keep_blob(db, request.content, hashlib.sha256(request.content).digest())
        row = db.execute(
            _INSERT_MESSAGE,
            {
                "trace_id": request.trace_id,
                "blob_id": blob_id,
                "prefix": request.prefix,
                "size": len(request.prefix) + len(request.content),
                "reverse_path": request.reverse_path,
                "domain_name": request.domain_name,
                "login": request.login,
                "ret": request.ret,
                "envid": request.envid,
                "body": request.body,
                "smtputf8": request.smtputf8,
                "require_tls": request.require_tls,
            },
            prepare=True,
            binary=True,
        ).fetchone()
        assert row is not None
        queue_id, relay_id = row
        hops = [
            next_hop_for(recipient.forward_path, relay_id, is_local=recipient.is_local)
            for recipient in request.recipients
        ]
        recipients = [
            {
                "forward_path": recipient.forward_path,
                "next_hop": hop,
                "notify": recipient.notify,
                "orcpt": recipient.orcpt,
            }
            for recipient, hop in zip(request.recipients, hops, strict=True)
        ]
        db.execute(
            _INSERT_RECIPIENTS,
            {"message_id": queue_id, "recipients": json.dumps(recipients)},
            prepare=True,
            binary=True,
        )
    return Enqueued(queue_id, tuple(dict.fromkeys(hops)))
