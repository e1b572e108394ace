"""What the SMTP connections of one process share: database, notifier, limits, memories, and their end."""

import asyncio
import contextlib
import logging
import os
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from accounts.addresses import Address
from accounts.authentication import still_valid
from accounts.entries import Login
from accounts.journal.acceptances import forget_old
from routing.decisions import Elsewhere, Reached, Resolution
from transport.carrying import Carried
from transport.connection_limits import ConnectionLimits
from transport.database_threads import DatabaseThreads
from transport.dmarc_reports.counting import TALLIES
from transport.filters.asking import Filters
from transport.notifier import Notifier
from transport.queue.wakeups import wake
from transport.smtp.judging import Judging
from transport.smtp.policing import Policing
from transport.smtp.postponed import Postponed
from transport.smtp.recipients import Recipients, look_up_recipient
from transport.turns import DELIVERIES_AT_ONCE, Turns

if TYPE_CHECKING:
    from transport.smtp.server import SmtpConnection

LOGIN_CHECK_SECONDS = 3.0
SWEEP_SECONDS = 600.0
TALLIES_SECONDS = 20.0
FREE_SPACE_MINIMUM = 200 * 1024 * 1024  # octets; below it MAIL is 452 4.3.1
FREE_SPACE_CHECK_SECONDS = 5.0
GRACE_SECONDS = 10.0
MEMORY_MAXIMUM = 1 << 30  # octets of messages that are coming in, before large ones have to wait
SMALL_MESSAGE = 256 * 1024

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Port:
    """What a listener offers. Port 25 takes mail for us from anyone; a submission port takes mail from logins."""

    name: str
    is_submission: bool
    is_tls: bool = False


class SmtpService:
    """One a process. All methods but the threads' work belong to the event loop."""

    def __init__(
        self,
        database: DatabaseThreads,
        notifier: Notifier,
        tls_context: ssl.SSLContext,
        *,
        hostname: str = "",
        size_maximum: int = 0,
        limits: ConnectionLimits | None = None,
        memory_maximum: int = MEMORY_MAXIMUM,
    ) -> None:
        self.database = database
        self.notifier = notifier
        self.tls_context = tls_context
        self.hostname = hostname or settings.MAIL_HOSTNAME
        self.size_maximum = size_maximum or settings.MAX_MESSAGE_SIZE
        self.memory_maximum = memory_maximum
        self.limits = limits or ConnectionLimits()
        self.connections: set[SmtpConnection] = set()
        self._all_ended = asyncio.Event()
        self.postponed = Postponed(database)
        self.recipients = Recipients()
        self.policing = Policing(database)
        self.turns = Turns(DELIVERIES_AT_ONCE)
        self.filters = Filters(database)
        self.judging = Judging(self.hostname, self.policing, self.filters)
        self._free_space = (0.0, True)
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Start the background work."""
        self._tasks = [
            asyncio.create_task(self.postponed.run()),
            asyncio.create_task(self.recipients.hear()),
            asyncio.create_task(self.policing.run()),
            asyncio.create_task(self.filters.run()),
            asyncio.create_task(self.policing.count()),
            asyncio.create_task(self._check_logins_for_ever()),
            asyncio.create_task(self._sweep_for_ever()),
            asyncio.create_task(self._write_tallies_for_ever()),
        ]

    async def close(self) -> None:
        """End the connections: idle ones now, those at work after their reply, all within GRACE_SECONDS."""
        for connection in tuple(self.connections):
            connection.stop()
        if self.connections:
            self._all_ended.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_ended.wait(), GRACE_SECONDS)
        for connection in tuple(self.connections):
            connection.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.policing.close()
        await self.filters.close()
        await self.postponed.flush()
        await self._write_tallies()

    def enter(self, connection: "SmtpConnection") -> bool:
        """Whether there is room for one more connection; if so, it calls `leave` at its end."""
        if not self.limits.admit(connection.client_address):
            return False
        self.connections.add(connection)
        return True

    def leave(self, connection: "SmtpConnection") -> None:
        self.connections.discard(connection)
        self.limits.release(connection.client_address)
        if not self.connections:
            self._all_ended.set()

    def announce(self, carried: Carried) -> None:
        """Tell of a delivery, after its commit. Never blocks, and never fails: a hint is not the truth."""
        try:
            if carried.folders:
                self.notifier.publish(carried.folders)
            if carried.next_hops:
                wake(carried.next_hops)
        except Exception:
            log.exception("%s: nobody was told of the delivery", carried.trace_id)

    async def admit(
        self,
        forward_path: Address | None,
        *,
        is_bounce: bool,
        may_relay: bool,
        declared_size: int = 0,
    ) -> Resolution | str:
        """Whom the recipient reaches, or the refusal. `forward_path` None is the bare `<postmaster>`."""
        known = forward_path and self.recipients.find(forward_path, is_bounce=is_bounce)
        if known and (may_relay or not isinstance(known, Elsewhere)):
            return known
        changes = self.recipients.changes
        admitted, lasts = await self.database.run(
            look_up_recipient,
            forward_path,
            is_bounce=is_bounce,
            may_relay=may_relay,
            declared_size=declared_size,
        )
        if lasts and forward_path is not None and isinstance(admitted, Reached | Elsewhere):
            self.recipients.remember(forward_path, admitted, is_bounce=is_bounce, changes=changes)
        return admitted

    def has_memory_for(self, connection: "SmtpConnection") -> bool:
        """Whether all messages that are coming in have room; a small one always has."""
        if connection.octets_held <= SMALL_MESSAGE:
            return True
        held = sum(one.octets_held for one in self.connections)
        return held <= max(self.memory_maximum, 2 * self.size_maximum)

    def has_free_space(self) -> bool:
        """Whether the disk has more than the reserve; looked at every few seconds."""
        checked_at, has_space = self._free_space
        now = time.monotonic()
        if now - checked_at > FREE_SPACE_CHECK_SECONDS:
            try:
                disk = os.statvfs(settings.DATA_DIR)
                has_space = disk.f_bavail * disk.f_frsize > FREE_SPACE_MINIMUM
            except OSError:
                has_space = True  # the data are elsewhere
            self._free_space = (now, has_space)
        return has_space

    async def _check_logins_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOGIN_CHECK_SECONDS)
            open_logins: dict[Login, list[SmtpConnection]] = {}
            for connection in self.connections:
                if connection.login is not None:
                    open_logins.setdefault(connection.login, []).append(connection)
            if not open_logins:
                continue
            try:
                valid = await self.database.run(still_valid, tuple(open_logins))
            except Exception:
                log.exception("open logins could not be checked")
                continue
            for login in open_logins.keys() - valid:
                for connection in open_logins[login]:
                    connection.stop("421 4.7.0 your account or its password has changed")

    async def _write_tallies_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TALLIES_SECONDS)
            await self._write_tallies()

    async def _write_tallies(self) -> None:
        try:
            await self.database.run(TALLIES.write)
        except Exception:
            log.exception("what DMARC said could not be counted")

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                await self.database.run(forget_old)
            except Exception:
                log.exception("old transactions could not be dropped")
            await asyncio.sleep(SWEEP_SECONDS)
