"""The folders that a script files old mail into: found once a run, and made where it asks for that."""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.folders import DEFAULT_FOLDERS, create_special_folder
from accounts.mailstore.values import FolderId, MailboxId
from routing.decisions import Target
from routing.filtering.folders import find_folder

PLACES_MAXIMUM = 10_000  # remembered at once

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A folder; one that a dry run would make has a negative id."""

    id: FolderId
    name: str


class TargetFolders:
    """Those of one owner. `has_made` tells whether the list of folders is another than before."""

    def __init__(self, db: Connection, owner: MailboxId, *, is_dry: bool) -> None:
        self.has_made = False
        self._db = db
        self._owner = owner
        self._is_dry = is_dry
        self._found: dict[Target, Place | None] = {}
        self._would_make: dict[str, Place] = {}

    def find(self, target: Target) -> Place | None:
        """None where there is no such folder, and none is to be made or can be."""
        if target not in self._found:
            if len(self._found) >= PLACES_MAXIMUM:
                self._found.clear()
            self._found[target] = self._look_for(target)
        return self._found[target]

    def forget(self) -> None:
        """Look again: a folder has gone."""
        self._found.clear()

    def _look_for(self, target: Target) -> Place | None:
        place = self._there(target)
        if place is not None or not target.create:
            return place
        name = target.folder or DEFAULT_FOLDERS[target.special_use]
        if self._is_dry:
            new = Place(FolderId(-1 - len(self._would_make)), name)
            return self._would_make.setdefault(name, new)
        if target.folder:
            folder = find_folder(self._db, self._owner, target)
            place = Place(folder.id, folder.name) if folder else None
        else:
            create_special_folder(self._db, self._owner, target.special_use)
            place = self._there(target)
        self.has_made = self.has_made or place is not None
        return place

    def _there(self, target: Target) -> Place | None:
        """A use alone, which no script can name, is not made up for by the inbox."""
        folder = find_folder(self._db, self._owner, target, may_create=False)
        if folder is None or (not target.folder and folder.special_use != target.special_use):
            return None
        return Place(folder.id, folder.name)
