"""Who is this login.

Login is by the full primary address, or by the bare username in the default domain; never by an alias. Three
steps, so that no database connection is held while a password is hashed: `begin_login` (one round trip: account
state, throttle, app passwords, cache), the hash in `accounts.hashing`'s two threads, `finish_login`.
`verify_password` is the three in a row for synchronous callers; listeners use `transport.logins.log_in`.
A failure of our own (database, full queue) is an exception, never a refusal.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.mailstore.values import MailboxId

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded. `password_stamp` and `credential_id` say by which secret."""

    kind: Literal["user", "app"]
    account_id: int
    mailbox_id: MailboxId | None
    address: str
    display_name: str
    domain_id: int
    domain_name: str
    mail_enabled: bool  # of the domain; while off, only apps send
    validate_app_from: bool  # of the domain
    credential_id: int | None
    password_stamp: bytes


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """A login that failed. The reason is for the log: a stranger hears the same text for all but `throttled`.

    `throttled`: too many failures from this source; nothing was checked. Answer that as temporary (454 4.7.0,
    `NO [UNAVAILABLE]`), since the password may well be right. `retry_after` in seconds.
    """

    reason: Literal["unknown", "password", "inactive", "throttled"]
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that needs a hash. `login` is None when the hash is only there to take its time."""

    login: Login | None
    refusal: LoginRefused
    account: str
    source: str
    password: str
    encoded: str

    def submit(self) -> Future[bool]:
        """Hash in the process's two threads, fair by source; raises `accounts.hashing.TooBusy`."""
        raise NotImplementedError


def begin_login(
    db: Connection, login: str, password: str, source: str
) -> Login | LoginRefused | PendingLogin:
    """Everything but the hash. `source` is the client's IP address."""
    raise NotImplementedError


def finish_login(db: Connection, pending: PendingLogin, matches: bool) -> Login | LoginRefused:
    """What the hash's outcome means; counts a failure, remembers a success."""
    raise NotImplementedError


def verify_password(
    db: Connection, login: str, password: str, source: str
) -> Login | LoginRefused:
    """Check a login, synchronously: up to a second of waiting and 0.2 s of hashing."""
    raise NotImplementedError


def still_valid(db: Connection, logins: Iterable[Login]) -> frozenset[Login]:
    """Those of the logins whose account is active and whose secret is still the one they used. One round trip."""
    raise NotImplementedError


class AdminBackend(BaseBackend):
    """Logs administrators in to the admin by what they log in with elsewhere."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        raise NotImplementedError
