"""What an interpreter asks of its surroundings. A script's own host is given to each run; `Alone` answers for nobody."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ScriptEnvelope:
    """The envelope of one delivery to one mailbox: addresses without brackets; `sender` "" is the null path.

    `orcpt`, `notify`, `ret`, `envid`, `by_*` are what `envelope-dsn` and `envelope-deliverby` ask for, as on the wire.
    """

    sender: str = ""
    recipient: str = ""
    notify: str = ""
    orcpt: str = ""
    ret: str = ""
    envid: str = ""
    login: str = ""


class Host(Protocol):
    """All questions are about the owner of the script. None of them changes anything."""

    def now(self) -> datetime:
        """The time, with the zone that the owner lives in."""
        ...

    def own_addresses(self) -> Sequence[str]:
        """The addresses whose mail reaches the owner, the main one first."""
        ...

    def folder_exists(self, name: str) -> bool:
        """Whether this folder exists and the owner may file into it (RFC 5490 §3.1)."""
        ...

    def folder_of_id(self, mailbox_id: str) -> str | None:
        """The name of the folder with this MAILBOXID (RFC 9042)."""
        ...

    def folders_of_use(self, special_use: str) -> Sequence[str]:
        """The names of the folders with a special use such as `\\\\Junk` (RFC 8579)."""
        ...

    def metadata(self, folder: str | None, entry: str) -> str | None:
        """An annotation of a folder, or of the server (None), by its full name (RFC 5490)."""
        ...

    def was_seen(self, kind: str, key: bytes) -> bool:
        """Whether a Memory of this kind and key was kept and has not run out."""
        ...

    def has_list(self, name: str) -> bool:
        """Whether the owner may use a list of this name (RFC 6134)."""
        ...

    def in_list(self, name: str, values: Collection[str]) -> str | None:
        """The first of `values` that is in the list."""
        ...

    def script(self, name: str, *, is_global: bool) -> bytes | None:
        """The text of another script (RFC 6609)."""
        ...


class Alone:
    """A host without mailbox, memory, lists or scripts: what a script sees where nothing is known of its owner."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def own_addresses(self) -> Sequence[str]:
        return ()

    def folder_exists(self, name: str) -> bool:
        return name.upper() == "INBOX"

    def folder_of_id(self, mailbox_id: str) -> str | None:
        return None

    def folders_of_use(self, special_use: str) -> Sequence[str]:
        return ()

    def metadata(self, folder: str | None, entry: str) -> str | None:
        return None

    def was_seen(self, kind: str, key: bytes) -> bool:
        return False

    def has_list(self, name: str) -> bool:
        return False

    def in_list(self, name: str, values: Collection[str]) -> str | None:
        return None

    def script(self, name: str, *, is_global: bool) -> bytes | None:
        return None
