"""Sends what is due for one next hop, message after message, until nothing is due.

A message is claimed, sent outside of any transaction, and its outcome written. What a worker leaves behind when it
dies is waiting in its rows; when the lease has run out, the next sweep finds it.
"""

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from accounts.mailstore.blobs import read_blob
from accounts.mailstore.values import FolderId
from accounts.secrets import CannotDecrypt, decrypt
from routing.verdict_fields import stored_verdict
from transport.database_threads import Connection
from transport.internal_mail import Outcome as SubmittedOutcome
from transport.internal_mail import submit_internal
from transport.outbound.content import has_non_ascii_header, with_crlf
from transport.outbound.delivery import Attempt, Courier, Outside
from transport.outbound.routes import (
    LOCAL_HOP,
    RELAY_PREFIX,
    LocalRoute,
    MxRoute,
    RelayRoute,
    Route,
    relay_policy,
)
from transport.outbound.session import LeaseLost
from transport.outbound.transmission import Addressee, Transmission
from transport.queue.claim import Claimed, ClaimedRecipient, claim, reroute
from transport.queue.connections import insist
from transport.queue.destinations import Down, forget, recall, remember
from transport.queue.leases import Connect, Lease, LeaseKeeper
from transport.queue.outcomes import Outcome, Result, Stage, temporary
from transport.queue.recording import Recorded, record
from transport.queue.schedule import DEFAULT_SCHEDULE, RetrySchedule

MESSAGES_A_DRAIN = 500

log = logging.getLogger(__name__)
Announce = Callable[[Iterable[FolderId], Iterable[str]], None]

_LOCK_RECIPIENT = """
SELECT 1 FROM transport_queuedrecipient WHERE id = %s AND lease_token = %s AND state = 'waiting' FOR UPDATE
"""
_RELAY = """
SELECT host, port, tls, username, password_encrypted, ca_file FROM transport_relay WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker process has: database, the world outside, its leases, and whom to tell of what it did.

    `announce(folders, next_hops)` is called after each commit that filed or enqueued something.
    """

    connect: Connect
    outside: Outside
    keeper: LeaseKeeper
    announce: Announce
    schedule: RetrySchedule = DEFAULT_SCHEDULE
    chance: random.Random = field(default_factory=random.SystemRandom)
    is_stopping: Callable[[], bool] = lambda: False


def drain(worker: Worker, next_hop: str) -> bool:
    """Send what is due; True when more is due than one run sends. A worker that stops ends with its message."""
    with worker.connect() as db:
        route = _route(db, next_hop)
        down = recall(db, next_hop)
    run = _Drain(worker, next_hop, route, down)
    try:
        for _ in range(MESSAGES_A_DRAIN):
            if worker.is_stopping() or not run.next_message():
                return False
        return True
    finally:
        run.close()


class _Drain:
    """One run over one next hop."""

    def __init__(
        self, worker: Worker, next_hop: str, route: Route | Outcome, down: Down | None
    ) -> None:
        self._worker = worker
        self._next_hop = next_hop
        self._route = route
        self._courier = (
            Courier(route, worker.outside) if isinstance(route, MxRoute | RelayRoute) else None
        )
        self._failure = route if isinstance(route, Outcome) else None
        if down is not None and down.is_now:
            self._failure = self._failure or down.outcome
        self._was_down = down is not None

    def close(self) -> None:
        if self._courier is not None:
            self._courier.close()

    def next_message(self) -> bool:
        """Claim one message and see to it; False when nothing is due."""
        worker = self._worker
        asked_at = worker.keeper.clock()
        with worker.connect() as db:
            claimed = claim(db, self._next_hop)
            if claimed is None:
                return False
            strays = claimed.strays
            if strays:
                worker.announce((), reroute(db, claimed))
        recipients = [one for one in claimed.recipients if one.id not in strays]
        if recipients:
            with worker.keeper.keeping(claimed.token, asked_at) as lease:
                self._see_to(claimed, recipients, lease)
        return True

    def _see_to(self, claimed: Claimed, recipients: list[ClaimedRecipient], lease: Lease) -> None:
        if isinstance(self._route, LocalRoute):
            for recipient in recipients:
                self._file(claimed, recipient)
            return
        attempt = self._attempt(claimed, recipients, lease)
        if attempt is None:
            return
        if attempt.is_hop_down:  # so that each of its messages does not wait for the same time-out
            self._failure = next(iter(attempt.outcomes.values()))
        self._record(claimed, _patient(attempt.outcomes), _detail(attempt))
        if attempt.is_hop_down and self._failure is not None:
            with self._worker.connect() as db:
                remember(db, self._next_hop, self._failure)
        elif self._was_down and attempt.address:
            with self._worker.connect() as db:
                forget(db, [self._next_hop])
            self._was_down = False

    def _attempt(
        self, claimed: Claimed, recipients: list[ClaimedRecipient], lease: Lease
    ) -> Attempt | None:
        """Send; None when the lease was lost. An error of our own is a temporary failure of this message."""
        if self._failure is not None or self._courier is None:
            failure = self._failure or temporary("4.3.5", "no route")
            return Attempt({one.id: failure for one in recipients}, failure.host)
        try:
            return self._courier.send(self._transmission(claimed, recipients), lease.is_held)
        except LeaseLost:
            log.warning("queue %s: the lease was lost, nothing is sent", claimed.queue_id)
            return None
        except Exception:
            log.exception("queue %s: error while sending", claimed.queue_id)
            self._courier.close()
            failure = temporary("4.3.0", "internal error of this server")
            return Attempt({one.id: failure for one in recipients})

    def _transmission(self, claimed: Claimed, recipients: list[ClaimedRecipient]) -> Transmission:
        with self._worker.connect() as db:
            content = with_crlf(claimed.prefix + read_blob(db, claimed.blob_id))
        return Transmission(
            claimed.reverse_path,
            tuple(Addressee(one.id, one.forward_path, one.notify, one.orcpt) for one in recipients),
            content,
            has_non_ascii_header(content),
            claimed.ret,
            claimed.envid,
            claimed.require_tls,
        )

    def _record(
        self, claimed: Claimed, outcomes: Mapping[int, Outcome], detail: Mapping[str, Any]
    ) -> None:
        """Write it down; when that fails, without the reports, so that at least nothing is sent again."""
        worker = self._worker

        def write(db: Connection) -> Recorded:
            return record(db, claimed, outcomes, worker.schedule, worker.chance, detail)

        def write_without_reports(db: Connection) -> Recorded:
            return record(
                db, claimed, outcomes, worker.schedule, worker.chance, detail, with_reports=False
            )

        try:
            recorded = insist(worker.connect, write)
        except Exception:
            log.exception("queue %s: the outcome could not be written", claimed.queue_id)
            recorded = insist(worker.connect, write_without_reports)
        worker.announce(recorded.folders, recorded.next_hops)

    def _file(self, claimed: Claimed, recipient: ClaimedRecipient) -> None:
        """Deliver into a mailbox here and write that down, in one transaction."""
        try:
            with self._worker.connect() as db, db.transaction():
                recorded = self._file_once(db, claimed, recipient)
        except (
            Exception
        ) as error:  # of a script's mail too: what is raised here is raised again for ever
            log.exception("queue %s: error while filing", claimed.queue_id)
            failure = temporary("4.3.0", f"internal error: {type(error).__name__}", "", Stage.LOCAL)
            self._record(claimed, {recipient.id: failure}, {})
            return
        self._worker.announce(recorded.folders, recorded.next_hops)

    def _file_once(self, db: Connection, claimed: Claimed, recipient: ClaimedRecipient) -> Recorded:
        if db.execute(_LOCK_RECIPIENT, (recipient.id, claimed.token)).fetchone() is None:
            return Recorded(frozenset())
        submitted = submit_internal(
            db,
            reverse_path=claimed.reverse_path,
            recipient=recipient.forward_path,
            content=claimed.prefix + read_blob(db, claimed.blob_id),
            cause="refiled",
            verdict=stored_verdict(claimed.prefix),
        )
        result = {
            SubmittedOutcome.DONE: Result.DELIVERED,
            SubmittedOutcome.LATER: Result.TEMPORARY,
            SubmittedOutcome.NEVER: Result.PERMANENT,
        }[submitted.outcome]
        outcome = Outcome(
            result, submitted.status, submitted.text, "", Stage.LOCAL, is_remote=False
        )
        worker = self._worker
        recorded = record(db, claimed, {recipient.id: outcome}, worker.schedule, worker.chance, {})
        return Recorded(
            recorded.ids,
            (*submitted.folders, *recorded.folders),
            (*submitted.next_hops, *recorded.next_hops),
        )


def _route(db: Connection, next_hop: str) -> Route | Outcome:
    """The route that a next hop names. A relay that is gone has only strays."""
    if next_hop == LOCAL_HOP:
        return LocalRoute()
    if not next_hop.startswith(RELAY_PREFIX):
        return MxRoute(next_hop)
    row = db.execute(_RELAY, (int(next_hop.removeprefix(RELAY_PREFIX)),)).fetchone()
    if row is None:
        return temporary("4.3.5", "the relay was removed")
    host, port, tls, username, password_encrypted, ca_file = row
    try:
        password = decrypt(password_encrypted) if password_encrypted else ""
    except CannotDecrypt as error:
        return temporary("4.3.5", f"the relay's password cannot be read: {error}", host)
    return RelayRoute(host, port, relay_policy(tls, port), username, password, ca_file)


def _patient(outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
    """Haste is for the rest of a transaction in which somebody was served (RFC 5321 §4.5.3.1.10)."""
    if any(outcome.result is Result.DELIVERED for outcome in outcomes.values()):
        return dict(outcomes)
    return {id: replace(outcome, may_hurry=False) for id, outcome in outcomes.items()}


def _detail(attempt: Attempt) -> dict[str, Any]:
    return {
        "address": attempt.address,
        "tls": attempt.tls.version,
        "cipher": attempt.tls.cipher,
        "is_verified": attempt.tls.is_verified,
        "failed": [
            {"address": address, "host": one.host, "stage": one.stage.value, "reply": one.reply}
            for address, one in attempt.failed
        ],
    }
