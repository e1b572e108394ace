"""How many recipients got mail lately, from whom and for whom, over all processes.

Each process counts in memory and adds to the database every second, in one statement that tells the sums of all: a limit
holds over many processes within about a second, and no recipient waits for the database. Counted is by the hour; of the
hour before counts the part that lies within the last 60 minutes.
"""

import time
from collections import Counter
from collections.abc import Mapping

from accounts.addresses import Address
from routing.policies.framework import Rates, client_network
from transport.database_threads import Connection

PERIOD_SECONDS = 3600
KEYS_MAXIMUM = 50_000  # of one process; more are not counted
KEPT_PERIODS = 2

_ADD = """
WITH added AS (
  INSERT INTO routing_rate (key, period, counted) SELECT k, %(period)s::bigint, n
  FROM unnest(%(keys)s::text[], %(numbers)s::integer[]) a (k, n)
  ON CONFLICT (key, period) DO UPDATE SET counted = routing_rate.counted + excluded.counted RETURNING key, counted
)
SELECT a.key, a.counted, coalesce(b.counted, 0)
FROM added a LEFT JOIN routing_rate b ON b.key = a.key AND b.period = %(period)s::bigint - 1
"""
_FORGET = "DELETE FROM routing_rate WHERE period < %s"

Sums = Mapping[str, tuple[int, int, int]]


class RateCounts:
    """One a process. All methods belong to the event loop."""

    def __init__(self) -> None:
        self._new: Counter[str] = Counter()
        self._sums: dict[str, tuple[int, int, int]] = {}  # period, counted in it, in the one before

    def rates(self, client_address: str, sender: Address | None, recipient: Address) -> Rates:
        """What is known of the last hour."""
        client, of_sender, of_recipient = _keys(client_address, sender, recipient)
        return Rates(self._rate(client), self._rate(of_sender), self._rate(of_recipient))

    def count(self, client_address: str, sender: Address | None, recipient: Address) -> None:
        """One more recipient got a message."""
        for key in _keys(client_address, sender, recipient):
            if key and (key in self._new or len(self._new) < KEYS_MAXIMUM):
                self._new[key] += 1

    def take(self) -> Mapping[str, int]:
        """What is to be added to the database; given back by `give_back` if that fails."""
        new, self._new = self._new, Counter()
        return new

    def give_back(self, new: Mapping[str, int]) -> None:
        self._new += Counter(new)

    def learn(self, sums: Sums) -> None:
        """What the database said."""
        self._sums.update(sums)
        if len(self._sums) > KEYS_MAXIMUM:
            period = int(time.time()) // PERIOD_SECONDS
            self._sums = {key: one for key, one in self._sums.items() if one[0] == period}
            while len(self._sums) > KEYS_MAXIMUM:
                self._sums.pop(next(iter(self._sums)))

    def _rate(self, key: str) -> float:
        now = time.time() / PERIOD_SECONDS
        period, counted, before = self._sums.get(key, (int(now), 0, 0))
        new = self._new.get(key, 0)
        if period == int(now) - 1:
            counted, before = 0, counted
        elif period != int(now):
            counted = before = 0
        return new + counted + before * (1 - now % 1)


def add_counts(db: Connection, new: Mapping[str, int]) -> Sums:
    """Add what one process has counted, and tell what all have. Keys in order, so that two never wait for each other."""
    period = int(time.time()) // PERIOD_SECONDS
    if not new:
        return {}
    keys = sorted(new)
    arguments = {"period": period, "keys": keys, "numbers": [new[key] for key in keys]}
    rows = db.execute(_ADD, arguments).fetchall()
    return {key: (period, counted, before) for key, counted, before in rows}


def forget_old_counts(db: Connection) -> None:
    """Drop what no rate is made of any more."""
    db.execute(_FORGET, (int(time.time()) // PERIOD_SECONDS - KEPT_PERIODS + 1,))


def _keys(client_address: str, sender: Address | None, recipient: Address) -> tuple[str, str, str]:
    of_sender = "" if sender is None else "s{}@{}".format(*sender.key)[:320]
    return (
        f"c{client_network(client_address)}",
        of_sender,
        "r{}@{}".format(*recipient.key)[:320],
    )
