"""What a client hears unasked after NOTIFY (RFC 5465): of the selected folder and of others, also between commands.

A hint only wakes the session, which then looks: at the folders that were named, or at the whole mailbox where names,
subscriptions or rights may have changed.
"""

import logging
from collections.abc import Iterable, Sequence, Set

from accounts.mailstore.annotations import annotations_of
from accounts.mailstore.listing import Hierarchy, hierarchy, looked_at_again
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder
from transport.imap.connection import ConnectionEnded
from transport.imap.fetch_plan import FROM_VIEW, make_plan
from transport.imap.fetching import send_from_view, send_messages
from transport.imap.handlers.status import StatusWords
from transport.imap.listing import levels
from transport.imap.mailbox_hints import mailbox_hint
from transport.imap.replies import Reply
from transport.imap.session import Session
from transport.imap.wanted_events import (
    METADATA_EVENTS,
    Annotations,
    NameNews,
    StatusNews,
    attributes,
    events_for,
    metadata_news,
    name_news,
    status_news,
)
from transport.imap.wire.commands.notify import MESSAGE_EVENTS, SELECTED_SCOPES
from transport.imap.wire.commands.types import (
    Command,
    Create,
    EventGroup,
    FolderCommand,
    Rename,
    SetMetadata,
)
from transport.imap.wire.fetch_items import Attribute
from transport.imap.wire.folder_names import list_line, render_folder_name
from transport.imap.wire.patterns import SEPARATOR
from transport.notifier import Watch

FOLDERS_MAXIMUM = 2000
"""More are too many to watch for one session."""

logger = logging.getLogger(__name__)


class TooManyFolders(Exception):
    """NOTIFICATIONOVERFLOW."""


class Watching:
    """One session's NOTIFY."""

    def __init__(self, session: Session, groups: Sequence[EventGroup]) -> None:
        """No groups are NOTIFY NONE."""
        self._session = session
        self._others = tuple(group for group in groups if group.scope not in SELECTED_SCOPES)
        chosen = [group for group in groups if group.scope in SELECTED_SCOPES and group.events]
        self._selected = chosen[0] if chosen else None
        self._watches: dict[FolderId, Watch] = {}
        self._stale: set[FolderId] = set()
        self._fresh: list[int] = []
        self._own_names: set[str] = set()
        self._annotations: Annotations = {}
        self.known = Hierarchy({}, frozenset())

    async def begin(self) -> None:
        """Look for the first time. Raises TooManyFolders."""
        if self._others:
            self._watch(mailbox_hint(self._session.owner), self._session.owner)
            self._take(await self._look())
            self._annotations = await self._look_at_annotations()

    def close(self) -> None:
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    # The selected folder

    @property
    def tells_selected(self) -> bool:
        """Whether anything is to be told of the selected folder."""
        return self._selected is not None

    @property
    def tells_flags(self) -> bool:
        return self._selected is not None and "FLAGCHANGE" in self._selected.events

    @property
    def tells_expunges_at_once(self) -> bool:
        return self._selected is not None and self._selected.scope == "SELECTED"

    def announced(self, uids: Iterable[int]) -> None:
        """EXISTS told of these, which others brought: their fetch items follow."""
        if self._selected is not None and self._selected.items:
            self._fresh.extend(uids)

    async def fetch_announced(self) -> None:
        """Send what MessageNew asks for of the new messages (§5.2)."""
        session, group = self._session, self._selected
        if not self._fresh or session.selection is None or group is None:
            return self._fresh.clear()
        view = session.selected.view
        places = view.places(self._fresh)
        self._fresh = []
        plan = make_plan(group.items, session.modes, by_uid=True, modseq=session.condstore)
        names = {item.name for item in plan.items if isinstance(item, Attribute)}
        if plan.only_attributes and names <= FROM_VIEW:
            await send_from_view(session, plan, places)
        else:
            await send_messages(session, plan, places)

    async def end_command(self, command: Command, reply: Reply) -> None:
        """Before a command's tagged response: fetch what it announced; what it did itself is no news (§5)."""
        if reply.condition == "OK":
            self._own_names |= names_in(command)
        try:
            await self.fetch_announced()
        except ConnectionEnded:
            raise
        except Exception as error:
            self._overflow(error)

    # All of it

    @property
    def has_news(self) -> bool:
        selection = self._session.selection
        is_stale = selection is not None and selection.is_stale and self.tells_selected
        return is_stale or bool(self._stale)

    async def tell(self, *, expunges: bool) -> None:
        """Look, and tell what is wanted. Raises NoSuchFolder for the selected one."""
        try:
            await self._tell(expunges=expunges)
        except (ConnectionEnded, NoSuchFolder):
            raise
        except Exception as error:
            self._overflow(error)
        await self._session.connection.drain()

    async def _tell(self, *, expunges: bool) -> None:
        session = self._session
        if session.selection is not None and session.selection.is_stale and self.tells_selected:
            await session.selection.refresh(session.services.changes)
            session.tell(expunges=expunges or self.tells_expunges_at_once)
            await self.fetch_announced()
        if self._stale:
            await self._tell_others()

    async def _tell_others(self) -> None:
        session = self._session
        before = self.known
        names_may_have_changed = min(self._stale) < 0
        after = await self._look()
        self._take(after)
        if names_may_have_changed:
            own, self._own_names = self._own_names, set()
            parents = levels(after.folders)
            for news in name_news(self._others, before, after):
                if not own & {news.name, news.old_name}:
                    session.write(self.list_line(news, parents))
            await self._tell_annotations(own)
        selected = session.selection.folder_id if session.selection is not None else None
        condstore = session.condstore
        for change in status_news(self._others, before, after, selected, condstore=condstore):
            session.write(self.status_line(change))

    async def _tell_annotations(self, own: set[str]) -> None:
        """METADATA with the entries that changed (§5.6-7)."""
        before, self._annotations = self._annotations, await self._look_at_annotations()
        for change in metadata_news(self._others, before, self._annotations, self.known):
            if change.name not in own:
                name = render_folder_name(change.name, utf8=self._session.utf8)
                entries = [render_folder_name(entry, utf8=True) for entry in change.entries]
                self._session.write(b"* METADATA %b %b\r\n" % (name, b" ".join(entries)))

    async def _look_at_annotations(self) -> Annotations:
        if not any(group.events & METADATA_EVENTS for group in self._others):
            return {}
        owners = {folder.state.owner for folder in self.known.folders.values()}
        session = self._session
        return await session.database.run(annotations_of, session.owner, owners | {session.owner})

    def _overflow(self, error: Exception) -> None:
        """Go on as if NOTIFY NONE had come: what was not told would never be (§5.8)."""
        if not isinstance(error, TooManyFolders):
            logger.error("notifications end: %s", error, exc_info=error)
        self._session.write(b"* OK [NOTIFICATIONOVERFLOW] No more notifications\r\n")
        self.close()
        self._others, self._selected = (), None
        self._stale.clear()

    async def _look(self) -> Hierarchy:
        """The state now; only the folders that were hinted at, where those are some of one's own."""
        session, stale = self._session, set(self._stale)
        self._stale.clear()
        if stale and min(stale) > 0:
            return await session.database.run(looked_at_again, session.owner, self.known, stale)
        return await session.database.run(hierarchy, session.owner, with_subscriptions=True)

    def _take(self, after: Hierarchy) -> None:
        """Watch the folders whose messages are wanted."""
        if after.folders.keys() == self.known.folders.keys() and (
            after.subscribed is self.known.subscribed
        ):  # only states changed
            self.known = after
            return
        watched = {
            folder.state.id: folder.state.owner
            for name, folder in after.folders.items()
            if folder.is_selectable and events_for(self._others, name, after) & MESSAGE_EVENTS
        }
        if len(watched) > FOLDERS_MAXIMUM or len(after.folders) > 5 * FOLDERS_MAXIMUM:
            raise TooManyFolders
        for id_ in [id_ for id_ in self._watches if id_ > 0 and id_ not in watched]:
            self._watches.pop(id_).close()
        for id_ in watched:
            if id_ not in self._watches:
                self._watch(id_, watched[id_])
        self.known = after

    def _watch(self, folder_id: FolderId, owner: MailboxId) -> None:
        session = self._session

        def hear() -> None:
            self._stale.add(folder_id)
            session.connection.wake()

        self._watches[folder_id] = session.services.notifier.watch(owner, folder_id, hear)

    def list_line(self, news: NameNews, parents: Set[str]) -> bytes:
        words = attributes(news.name, self.known, parents).encode("ascii")
        return list_line(words, news.name, utf8=self._session.utf8, old_name=news.old_name)

    def status_line(self, news: StatusNews) -> bytes:
        name = render_folder_name(news.name, utf8=self._session.utf8)
        return StatusWords(news.items, 0, {}).line(name, news.state)


def names_in(command: Command) -> set[str]:
    """The names that a command changes, with those above them; "" is the server."""
    match command:
        case FolderCommand() | Create() | SetMetadata():
            names = {command.folder}
        case Rename(source, target):
            names = {source, target}
        case _:
            return set()
    for name in tuple(names):
        while name := name.rpartition(SEPARATOR)[0]:
            names.add(name)
    return names
