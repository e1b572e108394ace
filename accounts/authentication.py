"""Who is this login, by a password that came in the clear (PLAIN, LOGIN). SCRAM is `accounts.scram_login`'s.

Login is by the full primary address, or by the bare username in the default domain; never by an alias. Three
steps, so that no database connection is held while a password is hashed: `begin_login` (one round trip: account
state, throttle, app passwords, cache), the hash in `accounts.hashing`'s two threads, `finish_login`.
`verify_password` is the three in a row for synchronous callers; listeners use `transport.logins.log_in`.
A failure of our own (database, full queue) is an exception, never a refusal.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg
from django.contrib.auth.hashers import is_password_usable

from accounts.entries import Login, LoginRefused
from accounts.hashing import in_turn, matches_hash
from accounts.login_lookup import (
    ACCOUNT,
    COUNT_COLUMNS,
    COUNTS,
    LOGIN_COLUMNS,
    PARAMETER_TYPES,
    Asked,
)
from accounts.login_record import note_failure, note_success
from accounts.mailstore.prepared import Prepared
from accounts.scram import Verifier, is_current, make_verifier
from accounts.secrets import secret_sha256, stamp_of
from accounts.throttle import Attempt
from accounts.verified import VERIFIED

Connection = psycopg.Connection[tuple[Any, ...]]

PASSWORD_MAXIMUM = 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """What the hash said, and the password's new verifier where it has none yet."""

    matches: bool
    verifier: Verifier | None = None


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that needs a hash. `encoded` is "" when the hash is only there to take its time."""

    attempt: Attempt
    login: Login | None
    is_active: bool
    password: str
    encoded: str
    salt: bytes | None
    """The account's, when the password has no verifier for SCRAM yet."""

    def submit(self) -> Future[Checked]:
        """Hash in the process's two threads, fair by source; raises `accounts.hashing.TooBusy`."""
        return in_turn(self.attempt.turn, partial(_check, self), is_known=self.attempt.is_known)


def _check(pending: PendingLogin) -> Checked:
    if not matches_hash(pending.password, pending.encoded):
        return Checked(False)
    if pending.salt is None:
        return Checked(True)
    stamp = stamp_of(pending.encoded)
    return Checked(True, make_verifier(pending.password, pending.salt, stamp))


_BEGIN = Prepared(
    f"""
    SELECT {LOGIN_COLUMNS}, c.id, a.password, a.is_active, a.scram_salt, a.scram_verifier,
        c.scram_verifier, c.last_used_at > now() - interval '5 minutes', {COUNT_COLUMNS}
    FROM {ACCOUNT}
    LEFT JOIN accounts_credential c ON c.secret_sha256 = q.secret
        AND (c.user_id = a.user_id OR c.app_id = a.app_id)
    {COUNTS}
    """,
    *PARAMETER_TYPES,
)

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

    One round trip, and now and then one to note that an app password or a network is in use.
    """
    asked = Asked.of(login, source)
    secret = secret_sha256(password)
    row = _BEGIN.row(db, *asked.parameters(), secret)
    assert row is not None
    found = Login(*row[:10]) if row[0] is not None else None
    encoded, is_active, salt, verifier, credential_verifier, was_used_lately = row[10:16]
    attempt = asked.attempt(row[16:])
    if found is not None and found.credential_id is not None and is_active:
        if not was_used_lately:  # 128 random bits: no throttle needs to guard them
            _note_use(db, found.credential_id)
        if not is_current(credential_verifier, secret):
            _keep_verifier(db, found, make_verifier(password, salt, secret))
        note_success(db, attempt, found)
        return found
    refused = attempt.refusal()
    if refused is not None:
        return refused
    can_match = bool(encoded) and is_password_usable(encoded) and _is_hashable(password)
    if found is not None:
        found = replace(found, credential_id=None, password_stamp=stamp_of(encoded))
        if can_match and is_active and VERIFIED.holds(found.account_id, encoded, password):
            note_success(db, attempt, found)
            return found
    return PendingLogin(
        attempt=attempt,
        login=found,
        is_active=bool(is_active),
        password=password if can_match else "",
        encoded=encoded if can_match else "",
        salt=salt if can_match and not is_current(verifier, stamp_of(encoded)) else None,
    )


def finish_login(db: Connection, pending: PendingLogin, checked: Checked) -> Login | LoginRefused:
    """What the hash's outcome means; counts a failure, remembers a success. Usually no round trip."""
    login = pending.login
    if checked.matches and login is not None and pending.is_active:
        VERIFIED.remember(login.account_id, pending.encoded, pending.password)
        _keep_verifier(db, login, checked.verifier)
        note_success(db, pending.attempt, login)
        return login
    note_failure(db, pending.attempt)
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


def _keep_verifier(db: Connection, login: Login, verifier: Verifier | None) -> None:
    """Keep what SCRAM needs, of a password that was set before there was SCRAM."""
    if verifier is None:
        return
    if login.credential_id is not None:
        statement = b"UPDATE accounts_credential SET scram_verifier = %s WHERE id = %s"
        db.execute(statement, (verifier.to_bytes(), login.credential_id))
        return
    db.execute(
        b"UPDATE accounts_user SET scram_verifier = %s WHERE id = %s AND sha256(convert_to(password, 'UTF8')) = %s",
        (verifier.to_bytes(), login.account_id, verifier.made_for),
    )


def _is_hashable(password: str) -> bool:
    """Whether it is text (what no client could type has lone surrogates), and bounded."""
    return len(password) <= PASSWORD_MAXIMUM and not any(
        "\ud800" <= c <= "\udfff" for c in password
    )


def _note_use(db: Connection, credential_id: int) -> None:
    db.execute(
        "UPDATE accounts_credential SET last_used_at = now() WHERE id = %s", (credential_id,)
    )
