"""A host whose mailbox, memory, lists and scripts are lists in memory, which a test fills."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class MemoryHost:
    """`folders` without INBOX, which is always there. `memories` are pairs of a kind and a key."""

    time: datetime = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    addresses: Sequence[str] = ("me@example.org",)
    folders: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    uses: dict[str, list[str]] = field(default_factory=dict)
    annotations: dict[tuple[str | None, str], str] = field(default_factory=dict)
    memories: set[tuple[str, bytes]] = field(default_factory=set)
    lists: dict[str, set[str]] = field(default_factory=dict)
    personal: dict[str, bytes] = field(default_factory=dict)
    library: dict[str, bytes] = field(default_factory=dict)

    def now(self) -> datetime:
        return self.time

    def own_addresses(self) -> Sequence[str]:
        return self.addresses

    def folder_exists(self, name: str) -> bool:
        return name.upper() == "INBOX" or name in self.folders

    def folder_of_id(self, mailbox_id: str) -> str | None:
        return self.ids.get(mailbox_id)

    def folders_of_use(self, special_use: str) -> Sequence[str]:
        return self.uses.get(special_use.lower(), [])

    def metadata(self, folder: str | None, entry: str) -> str | None:
        return self.annotations.get((folder, entry.lower()))

    def was_seen(self, kind: str, key: bytes) -> bool:
        return (kind, key) in self.memories

    def has_list(self, name: str) -> bool:
        return name in self.lists

    def in_list(self, name: str, values: Collection[str]) -> str | None:
        members = self.lists.get(name, set())
        return next((value for value in values if value in members), None)

    def script(self, name: str, *, is_global: bool) -> bytes | None:
        return (self.library if is_global else self.personal).get(name)
