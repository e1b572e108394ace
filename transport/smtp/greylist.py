"""Which clients, senders and recipients were seen together before, shared by all processes. RFC 6647."""

import ipaddress

from accounts.addresses import Address
from routing.evidence import SpfEvidence
from transport.database_threads import Connection

REPEATED_WITHIN = "2 days"
KEPT = "36 days"  # more than a month: what comes monthly stays known
KNOWN_AFTER = 5  # triplets that came back

_CHECK = f"""
WITH known AS (
  SELECT count(*) >= {KNOWN_AFTER} AS is_known
  FROM (SELECT FROM routing_greylist WHERE client = %(client)s AND passed > 0 LIMIT {KNOWN_AFTER}) p
), seen AS (
  INSERT INTO routing_greylist AS g (client, sender, recipient, first_at, last_at, passed)
  VALUES (%(client)s, %(sender)s, %(recipient)s, now(), now(), 0)
  ON CONFLICT (client, sender, recipient) DO UPDATE SET
    last_at = now(),
    first_at = CASE WHEN g.passed = 0 AND g.first_at < now() - interval '{REPEATED_WITHIN}' THEN now() ELSE g.first_at END,
    passed = g.passed + (g.passed > 0 OR (g.first_at <= now() - %(wait)s * interval '1 second'
      AND g.first_at >= now() - interval '{REPEATED_WITHIN}'))::int
  RETURNING passed, extract(epoch FROM first_at - now()) + %(wait)s AS seconds
)
SELECT is_known OR passed > 0, seconds FROM known, seen
"""
_FORGET = f"""
DELETE FROM routing_greylist WHERE last_at < now() - interval '{KEPT}'
OR passed = 0 AND first_at < now() - interval '{REPEATED_WITHIN}'
"""


def greylisted_seconds(
    db: Connection,
    client_address: str,
    spf: SpfEvidence | None,
    sender: Address | None,
    recipient: Address,
    wait_seconds: float,
) -> float:
    """How long a triplet has still to wait; 0 when it is known."""
    row = db.execute(
        _CHECK,
        {
            "client": _client(client_address, spf),
            "sender": "" if sender is None else "{}@{}".format(*sender.key),
            "recipient": "{}@{}".format(*recipient.key),
            "wait": wait_seconds,
        },
        prepare=True,
    ).fetchone()
    assert row is not None
    is_known, seconds = row
    return 0.0 if is_known else max(float(seconds), 1.0)


def forget_old_triplets(db: Connection) -> None:
    """Drop what was not seen for long, and what never came back."""
    db.execute(_FORGET)


def _client(client_address: str, spf: SpfEvidence | None) -> str:
    """Providers send a message again from another host: their SPF says who they are; else the network does."""
    if spf is not None and spf.result == "pass":
        return f"spf:{spf.domain}"
    address = ipaddress.ip_address(client_address)
    address = getattr(address, "ipv4_mapped", None) or address
    length = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network((address, length), strict=False))
