"""What a script asks of its owner's mailbox: `routing.sieve.host.Host` on the database. Each question is asked once at most."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.utils import timezone

from accounts.directory import addresses_of
from accounts.journal.trace import clean
from accounts.mailstore.annotations import get_annotations
from accounts.mailstore.folder_names import canonical_name
from accounts.mailstore.folders import list_folders
from accounts.mailstore.values import FolderState, MailboxId, MailstoreError
from routing.filtering.folders import number_of
from routing.filtering.memories import Connection, was_seen
from routing.scripts.standing import library_script
from routing.scripts.storage import script

_LIST_PREFIX = (
    "urn:ietf:params:sieve"  # of `urn:ietf:params:sieve:addrbook:default` (RFC 6134 §2.5)
)


class MailboxHost:
    """`remembers`: memories are asked for; a script that is only tried, or runs over old mail, has seen nothing."""

    def __init__(self, db: Connection, mailbox: MailboxId, *, remembers: bool = True) -> None:
        self._db = db
        self._mailbox = mailbox
        self._remembers = remembers
        self._folders: list[FolderState] | None = None
        self._addresses: tuple[str, ...] | None = None
        self._seen: dict[tuple[str, bytes], bool] = {}
        self._lists: dict[str, tuple[str, ...] | None] = {}
        self._metadata: dict[tuple[str, str], str | None] = {}
        self._scripts: dict[tuple[str, bool], bytes | None] = {}
        self._now: datetime | None = None

    def now(self) -> datetime:
        self._now = self._now or timezone.localtime()
        return self._now

    def own_addresses(self) -> Sequence[str]:
        if self._addresses is None:
            self._addresses = addresses_of(self._db, self._mailbox)
        return self._addresses

    def folder_exists(self, name: str) -> bool:
        wanted = canonical_name(name)
        return any(folder.name == wanted for folder in self._all_folders())

    def folder_of_id(self, mailbox_id: str) -> str | None:
        number = number_of(mailbox_id)
        return next((one.name for one in self._all_folders() if one.id == number), None)

    def folders_of_use(self, special_use: str) -> Sequence[str]:
        wanted = special_use.lower()
        return [
            one.name
            for one in self._all_folders()
            if one.special_use and one.special_use.lower() == wanted
        ]

    def metadata(self, folder: str | None, entry: str) -> str | None:
        key = (folder or "", entry.lower())
        if key not in self._metadata:
            self._metadata[key] = self._annotation(*key)
        return self._metadata[key]

    def was_seen(self, kind: str, key: bytes) -> bool:
        if not self._remembers:
            return False
        if (kind, key) not in self._seen:
            self._seen[kind, key] = was_seen(self._db, self._mailbox, kind, key)
        return self._seen[kind, key]

    def was_told_unseen(self, kind: str, key: bytes) -> bool:
        """Whether the script was told that this is not remembered."""
        return self._seen.get((kind, key)) is False

    def has_list(self, name: str) -> bool:
        return self._members(name) is not None

    def in_list(self, name: str, values: Collection[str]) -> str | None:
        members = {member.casefold() for member in self._members(name) or ()}
        return next((value for value in values if value.casefold() in members), None)

    def list_members(self, name: str) -> Sequence[str]:
        """All who are in a list; nobody where there is no such list."""
        return self._members(name) or ()

    def script(self, name: str, *, is_global: bool) -> bytes | None:
        if (name, is_global) not in self._scripts:
            self._scripts[name, is_global] = self._content(name, is_global)
        return self._scripts[name, is_global]

    def _all_folders(self) -> list[FolderState]:
        if self._folders is None:
            self._folders = list_folders(self._db, self._mailbox)
        return self._folders

    def _annotation(self, folder: str, entry: str) -> str | None:
        try:
            found = get_annotations(self._db, self._mailbox, clean(folder), [clean(entry)])
        except MailstoreError:
            return None
        value = next((one.value for one in found if one.name == entry), None)
        return None if value is None else value.decode("utf-8", "replace")

    def _members(self, name: str) -> tuple[str, ...] | None:
        name = clean(name.removeprefix(_LIST_PREFIX))
        if name not in self._lists:
            row = self._db.execute(
                "SELECT members FROM routing_addresslist WHERE mailbox_id = %s AND name = %s",
                (self._mailbox, name),
                prepare=True,
                binary=True,
            ).fetchone()
            self._lists[name] = tuple(row[0].split()) if row else None
        return self._lists[name]

    def _content(self, name: str, is_global: bool) -> bytes | None:
        if is_global:
            return library_script(self._db, clean(name))
        return script(self._db, self._mailbox, clean(name))
