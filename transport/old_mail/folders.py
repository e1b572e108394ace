"""The folders that a script files old mail into: found once a run, and made where it asks for that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.folders import (
    DEFAULT_FOLDERS,
    create_folder,
    create_special_folder,
    list_folders,
    open_folder,
)
from accounts.mailstore.values import (
    FolderExists,
    FolderId,
    MailboxId,
    MailstoreError,
    NoSuchFolder,
)
from routing.old_mail import Target
from routing.sieve.host import Host

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder; one that a dry run would make has a negative id."""

    id: FolderId
    name: str


class TargetFolders:
    """Those of one owner. `has_made` tells whether the list of folders is another than before."""

    def __init__(
        self, db: Connection, owner: MailboxId, make_host: Callable[[], Host], *, is_dry: bool
    ) -> None:
        self.has_made = False
        self._db = db
        self._owner = owner
        self._make_host = make_host
        self._is_dry = is_dry
        self._found: dict[Target, Place | None] = {}
        self._would_make: dict[str, Place] = {}

    def find(self, target: Target) -> Place | None:
        """None where there is no such folder, and none is to be made or can be."""
        if target not in self._found:
            self._found[target] = self._look_for(target)
        return self._found[target]

    def forget(self) -> None:
        """Look again: a folder has gone."""
        self._found.clear()

    def _look_for(self, target: Target) -> Place | None:
        name = self._make_host().folder_of_id(target.mailbox_id) if target.mailbox_id else None
        if name is None and target.special_use:
            found = self._of_use(target.special_use)
            if found is not None:
                return found
            if not target.folder:
                return self._special(target.special_use)
        name = target.folder if name is None else name
        try:
            folder = open_folder(self._db, self._owner, name)
        except NoSuchFolder:
            return self._made(name) if target.create else None
        return Place(folder.id, folder.name)

    def _of_use(self, use: str) -> Place | None:
        for folder in list_folders(self._db, self._owner):
            if folder.special_use.lower() == use.lower():
                return Place(folder.id, folder.name)
        return None

    def _special(self, use: str) -> Place | None:
        """Make the folder of a use again, under its usual name."""
        if self._is_dry:
            return self._imagined(DEFAULT_FOLDERS[use])
        self.has_made = create_special_folder(self._db, self._owner, use) or self.has_made
        return self._of_use(use)

    def _made(self, name: str) -> Place | None:
        if self._is_dry:
            return self._imagined(name)
        try:
            folder = create_folder(self._db, self._owner, name)
        except FolderExists:  # since a moment ago
            folder = open_folder(self._db, self._owner, name)
        except MailstoreError:
            return None
        self.has_made = True
        return Place(folder.id, folder.name)

    def _imagined(self, name: str) -> Place:
        place = Place(FolderId(-1 - len(self._would_make)), name)
        return self._would_make.setdefault(name, place)
