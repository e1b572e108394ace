"""Who is this login.

Login is by the full primary address, or by the bare username in the default domain; never by an alias. Three
steps, so that no database connection is held while a password is hashed: `begin_login` (one round trip: account
state, throttle, app passwords, cache), the hash in `accounts.hashing`'s two threads, `finish_login`.
`verify_password` is the three in a row for synchronous callers; listeners use `transport.logins.log_in`.
A failure of our own (database, full queue) is an exception, never a refusal.
"""

import hashlib
import math
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from django.contrib.auth.hashers import is_password_usable

from accounts import throttle
from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.entries import Login, LoginRefused
from accounts.hashing import check_hash
from accounts.secrets import secret_sha256
from accounts.verified import VERIFIED

Connection = psycopg.Connection[tuple[Any, ...]]

LOGIN_MAXIMUM = 320
PASSWORD_MAXIMUM = 1024


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that needs a hash. `encoded` is "" when the hash is only there to take its time."""

    login: Login | None
    is_active: bool
    account: str
    source: str
    password: str
    encoded: str
    has_failed_before: bool

    def submit(self) -> Future[bool]:
        """Hash in the process's two threads, fair by source; raises `accounts.hashing.TooBusy`."""
        return check_hash(self.source, self.password, self.encoded)


_BEGIN = """
    SELECT a.kind, a.id, a.mailbox_id, a.address, a.display_name, a.domain_id, a.domain_name,
        a.mail_enabled, a.validate_app_from, c.id, a.password, a.is_active,
        c.last_used_at > now() - interval '5 minutes',
        fa.failures, extract(epoch FROM now() - fa.last_at)::float8,
        fs.failures, extract(epoch FROM now() - fs.last_at)::float8
    FROM (SELECT 1) one
    LEFT JOIN (
        SELECT CASE WHEN u.id IS NULL THEN 'app' ELSE 'user' END AS kind, COALESCE(u.id, p.id) AS id,
            m.id AS mailbox_id, a.local_part || '@' || d.name AS address,
            COALESCE(u.full_name, p.display_name) AS display_name, d.id AS domain_id,
            d.name AS domain_name, d.mail_enabled, d.validate_app_from,
            COALESCE(u.password, '') AS password, COALESCE(u.is_active, p.is_active) AS is_active,
            u.id AS user_id, p.id AS app_id
        FROM accounts_domain d
        JOIN accounts_address a ON a.domain_id = d.id AND a.local_part = %(name)s::text AND a.is_primary
        LEFT JOIN accounts_user u ON u.id = a.user_id
        LEFT JOIN accounts_app p ON p.id = a.app_id
        LEFT JOIN LATERAL (
            SELECT id FROM accounts_mailbox WHERE user_id = u.id
            UNION ALL SELECT id FROM accounts_mailbox WHERE app_id = p.id
        ) m ON true
        WHERE a.group_id IS NULL
            AND (d.name = %(domain)s::text OR (%(domain)s::text = '' AND d.is_default AND u.id IS NOT NULL))
    ) a ON true
    LEFT JOIN accounts_credential c ON c.secret_sha256 = %(secret)s::bytea
        AND (c.user_id = a.user_id OR c.app_id = a.app_id)
    LEFT JOIN accounts_loginfailure fa ON fa.source = %(source)s::text AND fa.account = %(account)s::text
    LEFT JOIN accounts_loginfailure fs ON fs.source = %(source)s::text AND fs.account = ''
"""

# The counts go up together, and what was forgotten long ago goes away.
_COUNT_FAILURE = f"""
    WITH forgotten AS (
        DELETE FROM accounts_loginfailure WHERE id IN (
            SELECT id FROM accounts_loginfailure WHERE last_at < now() - interval '1 day'
            LIMIT 100 FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO accounts_loginfailure AS f (source, account, failures, last_at)
    SELECT %(source)s::text, account, 1, now() FROM unnest(%(accounts)s::text[]) account
    ON CONFLICT (source, account) DO UPDATE SET last_at = now(), failures =
        CASE WHEN f.last_at < now() - interval '{throttle.FORGET_AFTER} seconds' THEN 1 ELSE f.failures + 1 END
"""

_STILL_VALID = """
    SELECT n FROM unnest(%(kinds)s::text[], %(ids)s::bigint[], %(credentials)s::bigint[], %(stamps)s::bytea[])
        WITH ORDINALITY l(kind, id, credential, stamp, n)
    LEFT JOIN accounts_user u ON l.kind = 'user' AND u.id = l.id
    LEFT JOIN accounts_app p ON l.kind = 'app' AND p.id = l.id
    LEFT JOIN accounts_credential c
        ON c.id = l.credential AND (c.user_id = u.id OR c.app_id = p.id)
    WHERE (u.is_active OR p.is_active)
        AND (c.id IS NOT NULL
            OR (l.credential IS NULL AND sha256(convert_to(u.password, 'UTF8')) = l.stamp))
"""


def begin_login(
    db: Connection, login: str, password: str, source: str
) -> Login | LoginRefused | PendingLogin:
    """Everything but the hash. `source` is the client's IP address.

    One round trip, and a second one every five minutes to note that an app password is in use.
    """
    name, domain = _split_login(login)
    account = f"{name}@{domain}"[:LOGIN_MAXIMUM]
    source = throttle.throttled_source(source)
    row = db.execute(
        _BEGIN.encode(),
        {
            "name": name,
            "domain": domain,
            "account": account,
            "source": source,
            "secret": secret_sha256(password),
        },
        prepare=True,
        binary=True,
    ).fetchone()
    assert row is not None
    encoded, is_active, was_used_lately, *counts = row[10:]
    found = Login(*row[:10]) if row[0] is not None else None
    if found is not None and found.credential_id is not None and is_active:
        if not was_used_lately:  # 128 random bits: no throttle needs to guard them
            _note_use(db, found.credential_id)
        return found
    wait = _wait(source, *counts)
    if wait:
        return LoginRefused("throttled", wait)
    can_match = bool(encoded) and is_password_usable(encoded) and _is_hashable(password)
    if found is not None:
        found = replace(found, credential_id=None, password_stamp=_stamp(encoded))
        if can_match and is_active and VERIFIED.holds(found.account_id, encoded, password):
            return found
    return PendingLogin(
        login=found,
        is_active=bool(is_active),
        account=account,
        source=source,
        password=password if can_match else "",
        encoded=encoded if can_match else "",
        has_failed_before=counts[0] is not None,
    )


def finish_login(db: Connection, pending: PendingLogin, matches: bool) -> Login | LoginRefused:
    """What the hash's outcome means; counts a failure, remembers a success. At most one round trip."""
    login = pending.login
    if matches and login is not None and pending.is_active:
        VERIFIED.remember(login.account_id, pending.encoded, pending.password)
        if pending.has_failed_before:
            db.execute(
                "DELETE FROM accounts_loginfailure WHERE source = %s AND account = %s",
                (pending.source, pending.account),
            )
        return login
    accounts = [pending.account]
    if not throttle.is_shared_source(pending.source):
        accounts.append("")
    db.execute(_COUNT_FAILURE.encode(), {"source": pending.source, "accounts": accounts})
    if login is None:
        return LoginRefused("unknown")
    return LoginRefused("password" if pending.is_active else "inactive")


def verify_password(db: Connection, login: str, password: str, source: str) -> Login | LoginRefused:
    """Check a login, synchronously: it waits for its turn, and 0.2 s for the hash."""
    step = begin_login(db, login, password, source)
    if not isinstance(step, PendingLogin):
        return step
    return finish_login(db, step, step.submit().result())


def still_valid(db: Connection, logins: Iterable[Login]) -> frozenset[Login]:
    """Those of the logins whose account is active and whose secret is still the one they used. One round trip."""
    asked = list(logins)
    rows = db.execute(
        _STILL_VALID.encode(),
        {
            "kinds": [login.kind for login in asked],
            "ids": [login.account_id for login in asked],
            "credentials": [login.credential_id for login in asked],
            "stamps": [login.password_stamp for login in asked],
        },
        prepare=True,
        binary=True,
    ).fetchall()
    return frozenset(asked[row[0] - 1] for row in rows)


def _split_login(login: str) -> tuple[str, str]:
    """What was typed as (name, domain), both canonical; the domain is "" for a bare username.

    What cannot be a login becomes a name that nobody has, so that it takes the time of any other.
    """
    text = login.strip()
    if len(text) > LOGIN_MAXIMUM or not text.isprintable():
        return "", ""
    if "@" not in text:
        return canonical_local_part(text), ""
    try:
        return parse_address(text).key
    except AddressSyntaxError:
        return "", ""


def _wait(
    source: str,
    account_failures: int | None,
    account_age: float | None,
    source_failures: int | None,
    source_age: float | None,
) -> int:
    """Seconds that are left to wait, rounded up; 0 when the login may be tried."""
    left = 0.0
    if account_failures is not None and account_age is not None:
        left = throttle.wait_seconds(account_failures, throttle.FREE_PER_ACCOUNT) - account_age
    if (
        source_failures is not None
        and source_age is not None
        and not throttle.is_shared_source(source)
    ):
        wait = throttle.wait_seconds(source_failures, throttle.FREE_PER_SOURCE)
        left = max(left, wait - source_age)
    return max(0, math.ceil(left))


def _is_hashable(password: str) -> bool:
    """Whether it is text (what no client could type has lone surrogates), and bounded."""
    return len(password) <= PASSWORD_MAXIMUM and not any(
        "\ud800" <= c <= "\udfff" for c in password
    )


def _stamp(encoded: str) -> bytes:
    return hashlib.sha256(encoded.encode()).digest()


def _note_use(db: Connection, credential_id: int) -> None:
    db.execute(
        "UPDATE accounts_credential SET last_used_at = now() WHERE id = %s", (credential_id,)
    )
