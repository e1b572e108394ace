"""Puts a message into the outbound queue, inside the caller's transaction.

The caller wakes the workers after its commit (`transport.queue.wakeups.wake(enqueued.next_hops)`); a message whose
wake-up is lost is found by the sweep.
"""

from dataclasses import dataclass

from transport.database_threads import Connection


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


def enqueue(db: Connection, request: QueueRequest) -> Enqueued:
    """Write the message and its recipients; one transaction of its own, or part of the caller's."""
    raise NotImplementedError
