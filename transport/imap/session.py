"""One client's session: what handlers read and change (RFC 9051 §3), and what they have told."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from accounts.entries import Login
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder
from transport.database_threads import Connection as DatabaseConnection
from transport.imap.capabilities import capabilities
from transport.imap.connection import Connection, ConnectionEnded, Interrupted
from transport.imap.incoming_memory import Account
from transport.imap.replies import Reply, reply_to
from transport.imap.selection import Selection
from transport.imap.services import Services
from transport.imap.states import State
from transport.imap.wire.modes import Modes
from transport.imap.wire.responses import status_line
from transport.turns import OwnThreads

if TYPE_CHECKING:
    from transport.imap.watching import Watching

FEW_MESSAGES = 100
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Session:
    """The state of one session; handlers read and change it."""

    connection: Connection
    services: Services
    state: State = State.NOT_AUTHENTICATED
    login: Login | None = None
    selection: Selection | None = None
    modes: Modes = field(default_factory=Modes)
    login_failures: int = 0
    tag: bytes = b"*"  # of the command that runs
    after_reply: Callable[[], None] | None = None
    """What the running command wants done once its tagged response is written."""
    watching: "Watching | None" = None
    """What NOTIFY asked for; None until the first."""
    _is_stranger: bool = False
    login_deadline: float = 0.0
    changes_folder: bool = False  # the running command does
    own_uids: set[int] = field(default_factory=set)
    """What the running command put into the selected folder."""

    @property
    def database(self) -> OwnThreads:
        """Threads for short services; only after the login."""
        return OwnThreads(self.services.database, self.services.short_work, self.owner)

    @property
    def capabilities(self) -> bytes:
        """What is advertised in this state."""
        services = self.services
        return capabilities(self.state, services.max_message_size, services.sieve_url)

    @property
    def owner(self) -> MailboxId:
        """Whose mail this is; only after the login."""
        if self.login is None or self.login.mailbox_id is None:
            raise RuntimeError("no login")
        return self.login.mailbox_id

    @property
    def selected(self) -> Selection:
        """The selected folder; only in that state."""
        if self.selection is None:
            raise RuntimeError("no selection")
        return self.selection

    @property
    def condstore(self) -> bool:
        return self.modes.condstore

    @condstore.setter
    def condstore(self, on: bool) -> None:
        self.modes.condstore = on

    @property
    def qresync(self) -> bool:
        return self.modes.qresync

    @property
    def utf8(self) -> bool:
        return self.modes.utf8

    @property
    def uid_only(self) -> bool:
        return self.modes.uid_only

    @property
    def is_rev2(self) -> bool:
        return self.modes.is_rev2

    def write(self, data: bytes) -> None:
        self.connection.write(data)

    def begin(self, login: Login) -> bool:
        """The client is known now: it may append, and no longer counts as a stranger of its address.

        False, and nothing changes, when the login has too many sessions open.
        """
        if not self.services.open_logins.admit(login.account):
            return False
        self.login = login
        self.state = State.AUTHENTICATED
        self.connection.reader.append_limit = self.services.max_message_size
        self.connection.account = Account(self.services.incoming, login.account)
        self.leave_strangers()
        return True

    def end_login(self) -> None:
        """Back to where the connection began, but for TLS (RFC 8437 §3)."""
        self.deselect()
        self.watch_nothing()
        self.release_login()
        self.modes = Modes()
        self.state = State.NOT_AUTHENTICATED
        self.connection.reader.append_limit = 0
        if not self.join_strangers():
            self.connection.interrupt("[UNAVAILABLE] Too many connections")
        now = asyncio.get_running_loop().time()
        self.login_deadline = now + self.services.login_seconds

    def join_strangers(self) -> bool:
        """Whether its address may have one more connection without a login."""
        self._is_stranger = self.services.strangers.admit(self.connection.peer)
        return self._is_stranger

    def leave_strangers(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self.services.strangers.release(self.connection.peer)

    def release_login(self) -> None:
        """What the login counts for ends."""
        if self.connection.account is not None:
            self.connection.account.hold(0)
            self.connection.account = None
        if self.login is not None:
            self.services.open_logins.release(self.login.account)
            self.login = None

    def watch_nothing(self) -> None:
        """As before the first NOTIFY."""
        if self.watching is not None:
            self.watching.close()
            self.watching = None

    def select(self, selection: Selection) -> None:
        self.selection = selection
        self.state = State.SELECTED

        def hear() -> None:
            selection.is_stale = True
            self.connection.wake()

        selection.watch = self.services.notifier.watch(selection.owner, selection.folder_id, hear)

    def deselect(self) -> None:
        if self.selection is not None:
            self.selection.close()
            self.selection = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    async def run_long(
        self,
        service: Callable[Concatenate[DatabaseConnection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a long service, at most two at once for one mailbox."""
        async with self.services.long_work.turn(self.owner):
            return await self.services.database.run_long(service, *arguments, **keywords)

    async def run_for(
        self,
        messages: int,
        service: Callable[Concatenate[DatabaseConnection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a service that changes so many messages: a few are short work, one after the other."""
        if messages <= FEW_MESSAGES:
            async with self.services.changes_of_messages.turn(self.owner):
                return await self.services.database.run(service, *arguments, **keywords)
        return await self.run_long(service, *arguments, **keywords)

    async def refresh(self) -> None:
        """Take in what happened in the selected folder, and tell of new messages."""
        if self.selection is not None:
            await self.selection.refresh(self.services.changes)
            self.tell(expunges=False, flags=False)

    async def catch_up(self) -> None:
        """`refresh` after the command's work is done: if that fails, the work is done all the same, and the next
        command will see."""
        try:
            await self.refresh()
        except (ConnectionEnded, Interrupted):
            raise
        except NoSuchFolder:
            pass
        except Exception as error:
            reply_to(error, command="refresh")

    async def expunged(self, uids: Iterable[int], modseq: int) -> None:
        """The session's own command removed these from the selected folder, the last of them at `modseq`."""
        self.selected.view.expunge(uids, modseq)
        if (
            self.selected.view.modseq < modseq
        ):  # others' changes lie between: HIGHESTMODSEQ is to cover them
            await self.catch_up()

    def brought(self, folder_id: FolderId, uids: Iterable[int]) -> None:
        """The running command put these there: NOTIFY fetches only what others bring (RFC 5465 §5.2)."""
        if self.selection is not None and self.selection.folder_id == folder_id:
            self.own_uids.update(uids)

    def tell(self, *, expunges: bool, flags: bool = True) -> None:
        """Tell what is new in the selected folder, as far as NOTIFY has it."""
        if self.selection is None:
            return
        watching = self.watching
        if watching is not None:
            if not watching.tells_selected and not self.changes_folder:
                return
            flags = flags and watching.tells_flags
        self.write(self.selection.untagged(self.modes, expunges=expunges, flags=flags))
        if watching is not None:
            newest = self.selection.view.newest
            watching.announced(uid for uid in newest if uid not in self.own_uids)

    @property
    def has_news(self) -> bool:
        """Whether `push` may have something to tell."""
        if self.watching is not None:
            return self.watching.has_news
        return self.selection is not None and self.selection.is_stale

    async def push(self, *, expunges: bool) -> None:
        """Look, and tell, without having been asked. Raises NoSuchFolder for the selected folder."""
        if self.watching is not None:
            await self.watching.tell(expunges=expunges)
        elif self.selection is not None:
            await self.selection.refresh(self.services.changes)
            self.tell(expunges=expunges)

    def with_modseq(self, reply: Reply) -> Reply:
        """HIGHESTMODSEQ where the client would else keep a wrong one (RFC 7162 §3.2.7, §6): expunges have no modseq
        of their own, and what was told may be ahead of what waits."""
        if self.selection is None:
            return reply
        view = self.selection.view
        if not self.condstore:
            view.has_told_expunges = False
            return reply
        if not view.has_told_expunges and not view.is_ahead:
            return reply
        code = b"HIGHESTMODSEQ %d" % view.modseq_to_keep
        if view.has_told_expunges and reply.condition == "OK" and not reply.code:
            view.has_told_expunges = False
            return Reply(reply.condition, reply.text, code)
        view.has_told_expunges = False
        self.write(status_line(b"*", "OK", "Highest so far", code))
        return reply
