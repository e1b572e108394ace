"""Looks after the queue at intervals: what is due and not being sent, what is finished, which keys are missing.

An advisory lock lets one sweep run at a time, however many hosts have a beat.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from transport.database_threads import Connection
from transport.outbound.routes import LOCAL_HOP
from transport.queue.claim import ALL_HOPS, DUE
from transport.signing_keys import ensure_keys

NEXT_HOPS_MAXIMUM = 1000
FINISHED_KEPT_HOURS = 24
PRUNED_AT_ONCE = 5000
KEYS_AT_ONCE = 20
_SWEEP_LOCK = 0x73776565  # "swee"
_PRUNE_LOCK = 0x7072756E  # "prun"

_DUE_HOPS = f"""
SELECT r.next_hop FROM transport_queuedrecipient r WHERE {DUE}
GROUP BY r.next_hop
HAVING NOT EXISTS (
    SELECT FROM transport_destination d WHERE d.is_paused
        AND (d.next_hop = r.next_hop OR (d.next_hop = '{ALL_HOPS}' AND r.next_hop <> '{LOCAL_HOP}')))
ORDER BY min(r.next_attempt_at) LIMIT {NEXT_HOPS_MAXIMUM}
"""
_PRUNE = """
WITH finished AS MATERIALIZED (
    SELECT m.id FROM transport_queuedmessage m
    WHERE m.created_at < now() - make_interval(hours => %(hours)s)
        AND NOT EXISTS (
            SELECT FROM transport_queuedrecipient r WHERE r.message_id = m.id
                AND (r.finished_at IS NULL OR r.finished_at > now() - make_interval(hours => %(hours)s)))
    LIMIT %(maximum)s
), recipients AS (
    DELETE FROM transport_queuedrecipient WHERE message_id IN (SELECT id FROM finished)
)
DELETE FROM transport_queuedmessage WHERE id IN (SELECT id FROM finished)
"""
_PRUNE_DESTINATIONS = """
DELETE FROM transport_destination
WHERE NOT is_paused AND (down_until IS NULL OR down_until < now() - interval '1 day')
"""
_WITHOUT_KEY = """
SELECT d.name FROM accounts_domain d
WHERE (SELECT count(DISTINCT k.algorithm) FROM transport_dkimkey k WHERE k.domain_id = d.id) < 2 ORDER BY d.id DESC LIMIT %s
"""


def due_hops(db: Connection) -> list[str]:
    """The next hops with rows that are due and leased by nobody, those that wait longest first.

    Empty while another sweep runs.
    """
    with _alone(db, _SWEEP_LOCK) as is_alone:
        if not is_alone:
            return []
        return [row[0] for row in db.execute(_DUE_HOPS).fetchall()]


def make_missing_keys(db: Connection, maximum: int = KEYS_AT_ONCE) -> None:
    """Every domain has its DKIM keys soon after it was made, so that their DNS records can be shown; newest first."""
    for (name,) in db.execute(_WITHOUT_KEY, (maximum,)).fetchall():
        ensure_keys(db, name)


def prune_finished(db: Connection) -> int:
    """Delete messages that were finished a day ago; the trace remembers them. Returns how many."""
    with _alone(db, _PRUNE_LOCK) as is_alone:
        if not is_alone:
            return 0
        db.execute(_PRUNE_DESTINATIONS)
        parameters = {"hours": FINISHED_KEPT_HOURS, "maximum": PRUNED_AT_ONCE}
        return db.execute(_PRUNE, parameters).rowcount


@contextmanager
def _alone(db: Connection, lock: int) -> Iterator[bool]:
    with db.transaction():
        row = db.execute("SELECT pg_try_advisory_xact_lock(%s)", (lock,)).fetchone()
        yield bool(row and row[0])
