"""What messages came, counted by all that an aggregate report tells of them. RFC 9990 §3.1.

Counts are collected in the process and written every few seconds: what a killed process had not written yet is missing in
the reports, and nowhere else.
"""

import hashlib
import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from routing.evidence import Authentication, PolicyWord
from transport.database_threads import Connection

KEPT_MAXIMUM = 20_000  # different tallies between two writes: more are not counted
TEXT_MAXIMUM = 255

_WRITE = """
INSERT INTO transport_dmarctally AS t (day, policy_domain, digest, facts, count)
SELECT * FROM unnest(%s::date[], %s::text[], %s::bytea[], %s::jsonb[], %s::bigint[])
ON CONFLICT (day, policy_domain, digest) DO UPDATE SET count = t.count + excluded.count
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """One kind of message: a `record` of a report. `override` is why the disposition is not what the owner asks for."""

    policy_domain: str
    source_address: str
    header_from: str
    envelope_from: str
    disposition: PolicyWord
    dkim_aligned: bool
    spf_aligned: bool
    spf_result: str
    signatures: tuple[tuple[str, str, str], ...] = ()  # domain, selector, result
    override: str = ""


def tally_of(
    authentication: Authentication,
    client_address: str,
    disposition: PolicyWord,
    override: str = "",
) -> Tally | None:
    """None for a message that no record speaks of, or whose result is not known."""
    dmarc = authentication.dmarc
    if not dmarc.record_domain or dmarc.result not in ("pass", "fail"):
        return None
    return Tally(
        dmarc.record_domain,
        client_address,
        dmarc.domain,
        authentication.spf.domain[:TEXT_MAXIMUM],
        disposition,
        "dkim" in dmarc.aligned,
        "spf" in dmarc.aligned,
        authentication.spf.result,
        tuple((one.domain, one.selector, one.result) for one in authentication.dkim if one.domain),
        override,
    )


class Tallies:
    """Of one process; its threads share it."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[date, Tally]] = Counter()
        self._lock = threading.Lock()

    def add(self, tally: Tally) -> None:
        key = (datetime.now(UTC).date(), tally)
        with self._lock:
            if key in self._counts or len(self._counts) < KEPT_MAXIMUM:
                self._counts[key] += 1

    def write(self, db: Connection) -> None:
        """Add what was counted to the rows; what cannot be written now is kept."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            write_tallies(db, counts)
        except Exception:
            with self._lock:
                self._counts += counts
            raise


def write_tallies(db: Connection, counts: Counter[tuple[date, Tally]]) -> None:
    """Rows are written in one order, so that two writers wait for each other and never for ever."""
    rows = []
    for (day, tally), count in counts.items():
        facts = json.dumps(asdict(tally), sort_keys=True)
        digest = hashlib.sha256(facts.encode()).digest()
        rows.append((day, tally.policy_domain, digest, facts, count))
    if rows:
        db.execute(_WRITE, [list(column) for column in zip(*sorted(rows), strict=True)])


def read_tally(facts: dict[str, Any]) -> Tally:
    """A tally as its row has it."""
    signatures = tuple(tuple(one) for one in facts["signatures"])
    return Tally(**(facts | {"signatures": signatures}))
