"""What logins leave in the database: counts of failures, and the networks that an account came from.

Known networks are bounded (KNOWN_MAXIMUM an account, the latest stay) and end with disuse.
"""

from typing import Any

import psycopg

from accounts import throttle
from accounts.entries import Login
from accounts.throttle import Attempt

Connection = psycopg.Connection[tuple[Any, ...]]

KNOWN_MAXIMUM = 50
KNOWN_DAYS = 90

# The counts go up together, always in one order (so that two never wait for each other); what was forgotten goes away.
_COUNT_FAILURE = f"""
    WITH forgotten AS (
        DELETE FROM accounts_loginfailure WHERE id IN (
            SELECT id FROM accounts_loginfailure
            WHERE last_at < now() - interval '{throttle.FORGET_AFTER} seconds'
            LIMIT 100 FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO accounts_loginfailure AS f (source, account, is_known, failures, last_at)
    SELECT source, account, %(known)s, 1, now()
    FROM unnest(%(sources)s::text[], %(accounts)s::text[]) c(source, account)
    ORDER BY account = '', source = ''
    ON CONFLICT (source, account) DO UPDATE SET last_at = now(), is_known = %(known)s, failures =
        CASE WHEN f.last_at < now() - interval '{throttle.FORGET_AFTER} seconds' THEN 1 ELSE f.failures + 1 END
"""

# Who mistyped and then got in was no attacker: neither the account nor the neighbours pay for it.
_FORGIVE = """
    WITH own AS (
        DELETE FROM accounts_loginfailure WHERE source = %(source)s AND account = %(account)s
        RETURNING failures
    )
    UPDATE accounts_loginfailure f SET failures = greatest(0, f.failures - own.failures)
    FROM own WHERE f.id IN (
        SELECT id FROM accounts_loginfailure
        WHERE (source = %(source)s AND account = '') OR (source = '' AND account = %(account)s)
        ORDER BY account = '' FOR UPDATE)
"""

_NOTE_NETWORK = f"""
    WITH outdated AS (
        DELETE FROM accounts_knownnetwork WHERE id IN (
            SELECT id FROM accounts_knownnetwork
            WHERE (user_id = %(user)s OR app_id = %(app)s) AND network <> %(network)s
            ORDER BY last_at DESC OFFSET {KNOWN_MAXIMUM - 1})
        OR id IN (
            SELECT id FROM accounts_knownnetwork WHERE last_at < now() - interval '{KNOWN_DAYS} days'
            LIMIT 100 FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO accounts_knownnetwork (user_id, app_id, network, first_at, last_at)
    VALUES (%(user)s, %(app)s, %(network)s, now(), now())
    ON CONFLICT (user_id, app_id, network) DO UPDATE SET last_at = now()
"""


def note_failure(db: Connection, attempt: Attempt) -> None:
    """Count it. One round trip."""
    sources, accounts = attempt.counts()
    counts = {"sources": sources, "accounts": accounts, "known": attempt.is_known}
    db.execute(_COUNT_FAILURE.encode(), counts)


def note_success(db: Connection, attempt: Attempt, login: Login) -> None:
    """Forget the failures that came before it, and know the network. Usually no round trip at all."""
    if attempt.pair.count:
        db.execute(_FORGIVE.encode(), {"source": attempt.source, "account": attempt.account})
    if not attempt.is_noted_today:
        is_user = login.kind == "user"
        db.execute(
            _NOTE_NETWORK.encode(),
            {
                "user": login.account_id if is_user else None,
                "app": None if is_user else login.account_id,
                "network": attempt.source,
            },
        )
