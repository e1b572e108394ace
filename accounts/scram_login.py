"""Who is this login, by SCRAM-SHA-256 (RFC 5802, RFC 7677): no password is sent, and nothing slow is computed here.

SCRAM works for a login of which every secret that is in force has a verifier. For any other, and for a login that
nobody has, the exchange goes on as if it did, with a salt that is always the same, and fails like a wrong password:
neither who exists nor who has which secrets is told. The throttle is that of `accounts.authentication`.
"""

from dataclasses import dataclass, replace
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.auth.hashers import is_password_usable

from accounts import scram
from accounts.authentication import still_valid
from accounts.entries import Login, LoginRefused
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
from accounts.scram import NOBODY, Verifier, is_current
from accounts.secrets import stamp_of
from accounts.throttle import Attempt

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class PendingScram:
    """A login that has been told its salt. `secrets` are empty when no proof can be right."""

    attempt: Attempt
    salt: bytes
    iterations: int
    secrets: tuple[tuple[Verifier, Login], ...]
    refused: LoginRefused
    """What it is when the proof fails."""


_BEGIN = Prepared(
    f"""
    SELECT {LOGIN_COLUMNS}, a.password, a.is_active, a.scram_salt, a.scram_verifier, c.ids, c.secrets,
        c.verifiers, {COUNT_COLUMNS}
    FROM {ACCOUNT}
    LEFT JOIN LATERAL (
        SELECT array_agg(id ORDER BY id) ids, array_agg(secret_sha256 ORDER BY id) secrets,
            array_agg(scram_verifier ORDER BY id) verifiers
        FROM accounts_credential WHERE user_id = a.user_id OR app_id = a.app_id
    ) c ON true
    {COUNTS}
    """,
    *PARAMETER_TYPES,
)


def begin_scram(db: Connection, login: str, source: str) -> PendingScram | LoginRefused:
    """The salt of a login, whoever it is. `source` is the client's IP address. One round trip."""
    asked = Asked.of(login, source)
    row = _BEGIN.row(db, *asked.parameters(), b"")
    assert row is not None
    encoded, is_active, salt, verifier, ids, digests, verifiers = row[9:16]
    attempt = asked.attempt(row[16:])
    refused = attempt.refusal()
    if refused is not None:
        return refused
    if row[0] is None:
        key = settings.SECRET_KEY.encode()
        salt = scram.salt_of_nobody(key, asked.account)
        return PendingScram(attempt, salt, scram.ITERATIONS, (), LoginRefused("unknown"))
    found = Login(*row[:9])
    kept = [
        (verifier, digest, replace(found, credential_id=id))
        for id, digest, verifier in zip(ids or (), digests or (), verifiers or (), strict=True)
    ]
    if encoded and is_password_usable(encoded):
        stamp = stamp_of(encoded)
        kept.append((verifier, stamp, replace(found, password_stamp=stamp)))
    if not is_active:
        return PendingScram(attempt, salt, scram.ITERATIONS, (), LoginRefused("inactive"))
    if not all(is_current(verifier, made_for) for verifier, made_for, _ in kept):
        return PendingScram(attempt, salt, scram.ITERATIONS, (), LoginRefused("unprepared"))
    secrets = tuple((Verifier.from_bytes(verifier) or NOBODY, login) for verifier, _, login in kept)
    return PendingScram(attempt, salt, scram.ITERATIONS, secrets, LoginRefused("password"))


def finish_scram(
    db: Connection, pending: PendingScram, proof: bytes, auth_message: bytes
) -> tuple[Login, bytes] | LoginRefused:
    """Whose proof it is, with the server's signature; the state of the account is read again.

    A failure counts. One round trip.
    """
    for verifier, login in pending.secrets or ((NOBODY, None),):
        if verifier.is_proven_by(proof, auth_message) and login is not None:
            if not still_valid(db, [login]):
                return LoginRefused("inactive")
            note_success(db, pending.attempt, login)
            return login, verifier.server_signature(auth_message)
    note_failure(db, pending.attempt)
    return pending.refused
