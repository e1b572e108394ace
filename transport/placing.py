"""Finds the folders of what scripts file, and makes the ones that they want made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.mailstore.folder_names import canonical_name
from accounts.mailstore.values import INBOX, FolderId, NoSuchFolder, Placement
from routing.decisions import Filtered, Target
from routing.filtering.folders import find_folder
from transport.database_threads import Connection
from transport.script_orders import Orders


@dataclass(frozen=True, slots=True)
class Placed:
    """The placements of one mailbox by content, None for the message as it came. `notes`: what went another way."""

    filtered: Filtered
    placements: Mapping[bytes | None, tuple[Placement, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def by_name(orders: Orders) -> Placement | None:
    """The only copy of all where the store itself may find its folder by name, which spares a round trip."""
    if len(orders.deposits) != 1:
        return None
    [deposit] = orders.deposits
    target = deposit.target
    if deposit.content is not None or target != Target(target.folder):
        return None
    name = canonical_name(target.folder) if target.folder else ""
    return Placement(deposit.mailbox.id, name=name, prefix=deposit.prefix, flags=deposit.flags)


def place(db: Connection, orders: Orders, *, may_create: bool) -> Placed:
    """One copy of a content a folder, whatever names the script gave it; the later flags win (RFC 5228 §2.10.3).

    Raises NoSuchFolder where one is to be made and may not.
    """
    found: dict[Target, FolderId | None] = {Target(): None}
    notes: list[str] = []
    placements: dict[bytes | None, dict[FolderId | None, Placement]] = {}
    for deposit in orders.deposits:
        target, owner = deposit.target, deposit.mailbox.id
        if target not in found:
            folder = find_folder(db, owner, target, may_create=may_create)
            if folder is None and target.create and not may_create:
                raise NoSuchFolder(target.folder)
            if folder is None:
                notes.append(f"there is no folder {target.folder!r}: into the inbox")
            found[target] = None if folder is None or folder.name == INBOX else folder.id
        folder_id = found[target]
        placements.setdefault(deposit.content, {})[folder_id] = Placement(
            owner=owner, folder=folder_id, prefix=deposit.prefix, flags=deposit.flags
        )
    by_content = {content: tuple(ones.values()) for content, ones in placements.items()}
    return Placed(orders.filtered, by_content, tuple(notes))
