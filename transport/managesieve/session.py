"""One client's session: what handlers read and change, and what all sessions of a process share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from accounts.entries import Login
from accounts.mailstore.values import MailboxId
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from transport.connection_limits import ConnectionLimits
from transport.database_threads import Connection as DatabaseConnection
from transport.database_threads import DatabaseThreads
from transport.imap.incoming_memory import Account, IncomingMemory
from transport.imap.open_logins import OpenLogins
from transport.managesieve.connection import Connection, Interrupted
from transport.managesieve.wire.reader import LINE_LIMIT, Event
from transport.turns import LONG_AT_ONCE, OwnThreads, Turns

LOGIN_SECONDS = 60.0
IDLE_SECONDS = 1800.0 + 60.0  # at least 30 minutes (RFC 5804 §1.2)
COMMAND_SECONDS = 300.0
"""How long a command may take to come, once it has begun: the largest script at 4 KB a second."""
SESSIONS_PER_LOGIN = 50
SCRIPTS_ON_THEIR_WAY = 64 * SCRIPT_SIZE_MAXIMUM
LOGIN_ON_ITS_WAY = 8 * SCRIPT_SIZE_MAXIMUM

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions of a process share."""

    database: DatabaseThreads
    hostname: str
    login_seconds: float = LOGIN_SECONDS
    idle_seconds: float = IDLE_SECONDS
    command_seconds: float = COMMAND_SECONDS
    work: Turns = field(default_factory=lambda: Turns(LONG_AT_ONCE))
    strangers: ConnectionLimits = field(default_factory=ConnectionLimits)
    open_logins: OpenLogins = field(default_factory=lambda: OpenLogins(SESSIONS_PER_LOGIN))
    incoming: IncomingMemory = field(
        default_factory=lambda: IncomingMemory(
            SCRIPT_SIZE_MAXIMUM, SCRIPTS_ON_THEIR_WAY, LOGIN_ON_ITS_WAY
        )
    )


@dataclass(slots=True, eq=False)
class Session:
    """The state of one session."""

    connection: Connection
    services: Services
    login: Login | None = None
    login_failures: int = 0
    login_deadline: float = 0.0
    has_logged_out: bool = False
    _is_stranger: bool = False

    @property
    def owner(self) -> MailboxId:
        """Whose scripts these are; only after the login."""
        if self.login is None or self.login.mailbox_id is None:
            raise RuntimeError("no login")
        return self.login.mailbox_id

    async def next_event(self) -> Event:
        """The next command or response. Raises ConnectionEnded, Interrupted."""
        seconds = self.services.idle_seconds
        if self.login is None:
            seconds = self.login_deadline - asyncio.get_running_loop().time()
        try:
            return await self.connection.next_event(seconds, self.services.command_seconds)
        except TimeoutError:
            raise Interrupted("Nothing was heard for too long") from None

    def write(self, data: bytes) -> None:
        self.connection.write(data)

    async def run(
        self,
        service: Callable[Concatenate[DatabaseConnection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a short service in one of the owner's turns."""
        threads = OwnThreads(self.services.database, self.services.work, self.owner)
        return await threads.run(service, *arguments, **keywords)

    async def run_long(
        self,
        service: Callable[Concatenate[DatabaseConnection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """The same for one that compiles."""
        async with self.services.work.turn(self.owner):
            return await self.services.database.run_long(service, *arguments, **keywords)

    def begin(self) -> bool:
        """Whether its address may have one more connection without a login."""
        now = asyncio.get_running_loop().time()
        self.login_deadline = now + self.services.login_seconds
        self._is_stranger = self.services.strangers.admit(self.connection.peer)
        return self._is_stranger

    def begin_login(self, login: Login) -> bool:
        """The client is known now. False, and nothing changes, when the login has too many sessions open."""
        if not self.services.open_logins.admit(login.account):
            return False
        self._leave_strangers()
        self.login = login
        self.connection.reader.literal_limit = SCRIPT_SIZE_MAXIMUM + LINE_LIMIT
        self.connection.account = Account(self.services.incoming, login.account)
        return True

    def end_login(self) -> None:
        """Back to where TLS began (RFC 5804 §2.14.1)."""
        self._release_login()
        self.connection.reader.literal_limit = LINE_LIMIT
        if not self.begin():
            self.connection.interrupt("Too many connections")

    def end(self) -> None:
        """What the session counts for ends."""
        self._leave_strangers()
        self._release_login()

    def _leave_strangers(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self.services.strangers.release(self.connection.peer)

    def _release_login(self) -> None:
        if self.connection.account is not None:
            self.connection.account.hold(0)
            self.connection.account = None
        if self.login is not None:
            self.services.open_logins.release(self.login.account)
            self.login = None
