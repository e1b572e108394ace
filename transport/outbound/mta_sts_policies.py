"""The MTA-STS policies that are known, in rows that all processes share (RFC 8461 §5.1, §10.2).

A policy holds until its max_age is over, also when DNS or HTTPS is down meanwhile or the record is gone: who can
suppress those could else suppress the policy.
"""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dns.exception
import dns.name

from transport.database_threads import Connection
from transport.dns.resolver import Resolver
from transport.outbound.mta_sts import Mode, StsPolicy, parse_records
from transport.outbound.mta_sts_fetch import FetchFailed, fetch_policy

RETRY = timedelta(minutes=5)  # a policy that could not be fetched is not tried for every message
REFRESH = timedelta(days=1)
UNUSED = timedelta(days=60)  # policies of domains without mail from here are no longer refreshed

log = logging.getLogger(__name__)

_READ = """
SELECT record_id, mode, patterns, expires_at, tried_at, used_at
FROM transport_stspolicy WHERE domain = %s
"""
_USE = "UPDATE transport_stspolicy SET used_at = %s WHERE domain = %s"
_KEEP = """
INSERT INTO transport_stspolicy AS p
    (domain, record_id, mode, patterns, expires_at, tried_at, used_at)
VALUES (%(domain)s, %(record_id)s, %(mode)s, %(patterns)s, %(expires_at)s, %(now)s, %(now)s)
ON CONFLICT (domain) DO UPDATE SET record_id = excluded.record_id, mode = excluded.mode,
    patterns = excluded.patterns, expires_at = excluded.expires_at, tried_at = excluded.tried_at
"""
_NOTE_FAILURE = """
INSERT INTO transport_stspolicy AS p
    (domain, record_id, mode, patterns, expires_at, tried_at, used_at)
VALUES (%(domain)s, '', 'none', '[]', %(now)s, %(now)s, %(now)s)
ON CONFLICT (domain) DO UPDATE SET tried_at = excluded.tried_at
"""
_STALE = """
SELECT domain FROM transport_stspolicy
WHERE expires_at > %(now)s AND tried_at < %(stale)s AND used_at > %(unused)s ORDER BY tried_at
"""
_PRUNE = "DELETE FROM transport_stspolicy WHERE expires_at < %(stale)s AND tried_at < %(stale)s"


@dataclass(frozen=True, slots=True)
class _Row:
    record_id: str
    mode: str
    patterns: list[str]
    expires_at: datetime
    tried_at: datetime
    used_at: datetime

    @property
    def policy(self) -> StsPolicy:
        return StsPolicy(Mode(self.mode), tuple(self.patterns))


@dataclass(frozen=True, slots=True)
class StsPolicies:
    """Finds policies, and keeps them fresh. `port` is that of HTTPS; `ca_file` as in `client_context`."""

    connect: Callable[[], AbstractContextManager[Connection]]
    resolver: Resolver
    port: int = 443
    ca_file: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def find(self, domain: str) -> StsPolicy | None:
        """The policy that binds mail for a domain; None where there is none. May fetch it, which takes its time."""
        name = _ascii(domain)
        if not name:
            return None
        now = self.now()
        with self.connect() as db:
            row = self._read(db, name)
            if row is not None and row.used_at < now - REFRESH:
                db.execute(_USE, (now, name))
        held = row.policy if row is not None and row.expires_at > now else None
        if row is not None and row.tried_at > now - RETRY:
            return held
        record_id = self._record_id(name)
        if not record_id or (held is not None and row is not None and row.record_id == record_id):
            return held
        return self._fetch(name, record_id) or held

    def refresh(self) -> None:
        """Fetch anew what was not fetched for a day, and delete what expired (RFC 8461 §10.2: before it expires)."""
        now = self.now()
        times = {"now": now, "stale": now - REFRESH, "unused": now - UNUSED}
        with self.connect() as db:
            db.execute(_PRUNE, times)
            names = [name for (name,) in db.execute(_STALE, times).fetchall()]
        for name in names:
            record_id = self._record_id(name)
            if record_id:
                self._fetch(name, record_id)

    def _record_id(self, name: str) -> str:
        return parse_records(self.resolver.look_up(f"_mta-sts.{name}", "TXT").texts)

    def _fetch(self, name: str, record_id: str) -> StsPolicy | None:
        """Fetch and keep; None when that failed, which leaves what was there."""
        try:
            policy = fetch_policy(self.resolver, name, port=self.port, ca_file=self.ca_file)
        except FetchFailed as error:
            log.warning("MTA-STS policy of %s: %s", name, error)
            with self.connect() as db:
                db.execute(_NOTE_FAILURE, {"domain": name, "now": self.now()})
            return None
        now = self.now()
        with self.connect() as db:
            db.execute(
                _KEEP,
                {
                    "domain": name,
                    "record_id": record_id,
                    "mode": policy.mode.value,
                    "patterns": json.dumps(policy.patterns),
                    "expires_at": now + timedelta(seconds=policy.max_age),
                    "now": now,
                },
            )
        return policy

    @staticmethod
    def _read(db: Connection, name: str) -> _Row | None:
        row = db.execute(_READ, (name,)).fetchone()
        return _Row(*row) if row is not None else None


def _ascii(domain: str) -> str:
    """A domain in A-labels; "" for an address literal, or what is no name."""
    if domain.startswith("["):
        return ""
    try:
        return dns.name.from_text(domain).to_text(omit_final_dot=True).lower()
    except (dns.exception.DNSException, UnicodeError):
        return ""
