"""Next hops that are down, remembered for all processes: what is due for one meanwhile is put off without trying.

The first drain after `down_until` tries again; while that fails the time doubles, up to a quarter of an hour. Messages
keep their own schedule, so nothing waits for this memory to be undone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from transport.database_threads import Connection
from transport.queue.outcomes import Outcome, Result, temporary

DOWN_SECONDS = 60
DOWN_SECONDS_MAXIMUM = 900

_RECALL = """
SELECT down_status, down_reply, down_host, down_until > clock_timestamp(), to_char(down_until AT TIME ZONE 'UTC', 'HH24:MI')
FROM transport_destination WHERE next_hop = %s AND down_until IS NOT NULL
"""
_REMEMBER = """
INSERT INTO transport_destination AS d (next_hop, down_until, down_times, down_status, down_reply, down_host)
VALUES (%(next_hop)s, clock_timestamp() + make_interval(secs => %(seconds)s), 1, %(status)s, %(reply)s, %(host)s)
ON CONFLICT (next_hop) DO UPDATE SET down_times = d.down_times + 1, down_status = excluded.down_status,
    down_reply = excluded.down_reply, down_host = excluded.down_host, down_until = clock_timestamp()
        + make_interval(secs => least(%(seconds)s * 2 ^ least(d.down_times, 10), %(maximum)s))
WHERE d.down_until IS NULL OR d.down_until <= clock_timestamp()
"""
_FORGET = """
UPDATE transport_destination SET down_until = NULL, down_times = 0
WHERE next_hop = ANY(%s) AND down_until IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Down:
    """A next hop that was down when it was tried last; `is_now`: it is not to be tried yet."""

    outcome: Outcome
    is_now: bool


def recall(db: Connection, next_hop: str) -> Down | None:
    """What is remembered of a next hop."""
    row = db.execute(_RECALL, (next_hop,), prepare=True).fetchone()
    if row is None:
        return None
    status, reply, host, is_now, until = row
    text = f"{reply} (not tried again before {until} UTC)"
    return Down(temporary(status, text, host), is_now)


def remember(db: Connection, next_hop: str, outcome: Outcome) -> None:
    """Nothing of the next hop could be reached. What fails for good is no matter of time, and not remembered."""
    if outcome.result is Result.TEMPORARY:
        values = {
            "next_hop": next_hop,
            "seconds": DOWN_SECONDS,
            "maximum": DOWN_SECONDS_MAXIMUM,
            "status": outcome.status,
            "reply": outcome.reply.replace("\0", "").encode("utf-8", "replace").decode(),
            "host": outcome.host[:300],
        }
        db.execute(_REMEMBER, values)


def forget(db: Connection, next_hops: Iterable[str]) -> None:
    """They may be tried at once."""
    db.execute(_FORGET, (list(next_hops),))
