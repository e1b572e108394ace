"""Annotations of folders and of the server (METADATA, RFC 5464).

A name begins with `/shared/` (one value for all) or `/private/` (one a reader), in lower case: names compare without
case (§3.2). `/private/specialuse` of one's own folder is its special use (RFC 6154 §4), and `/shared/admin` of the
server is made up (§3.2.1.1). What a folder has goes with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.folders import open_folder
from accounts.mailstore.locking import take_turn
from accounts.mailstore.quota import is_administrator, quota_of
from accounts.mailstore.sharing import reach
from accounts.mailstore.special_uses import assign_use
from accounts.mailstore.values import (
    AnnotationTooLong,
    FolderId,
    MailboxId,
    NoPermission,
    SpecialUseInvalid,
    TooManyAnnotations,
)

VALUE_MAXIMUM = 32_768
"""Octets of one value."""
ENTRIES_MAXIMUM = 500
"""Of one folder or of the server: shared ones, and as many private ones of each reader."""
TOTAL_MAXIMUM = 16 * 1024 * 1024
"""Octets of what one mailbox accounts for: the shared ones of its folders, and its own private ones anywhere."""

PRIVATE = "/private/"
SPECIAL_USE = "/private/specialuse"
SERVER_ADMIN = "/shared/admin"


@dataclass(frozen=True, slots=True)
class Annotation:
    """`value` is None where there is none (`size` is 0 then), or where it is longer than was asked for."""

    name: str
    value: bytes | None
    size: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """What is annotated: a folder, or the server while `folder` is None."""

    reader: MailboxId
    owner: MailboxId | None = None
    folder: FolderId | None = None
    special_use: str = ""
    rights: str = ""

    @property
    def has_special_use(self) -> bool:
        """Whether a special use can be told or set here."""
        return self.folder is not None and self.owner == self.reader


def get_annotations(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    folder: str,
    names: Sequence[str],
    *,
    max_size: int | None = None,
    depth: int | None = 0,
) -> list[Annotation]:
    """The entries called `names` and those below them, `depth` levels or all for None; by name.

    `folder` "" is the server. A name without any is told without a value. Raises NoSuchFolder, NoPermission.
    """
    place = _find(db, reader, folder)
    limit = VALUE_MAXIMUM if max_size is None else min(max_size, VALUE_MAXIMUM)
    found = {
        name: Annotation(name, value if size <= limit else None, size)
        for name, size, value in [
            *_stored(db, place, names, limit, depth),
            *_computed(db, place),
        ]
        if any(_covers(asked, name, depth) for asked in names)
    }
    for asked in names:
        if not any(_covers(asked, name, depth) for name in found):
            found[asked] = Annotation(asked, None)
    return sorted(found.values(), key=lambda annotation: annotation.name)


def set_annotations(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    folder: str,
    values: Mapping[str, bytes | None],
) -> Place:
    """Set entries, or delete those whose value is None: all of them or none.

    Raises NoSuchFolder, NoPermission, AnnotationTooLong, TooManyAnnotations, SpecialUseInvalid.
    """
    if any(value is not None and len(value) > VALUE_MAXIMUM for value in values.values()):
        raise AnnotationTooLong
    with db.transaction():
        take_turn(db, _find(db, reader, folder).owner or reader)
        place = _find(db, reader, folder)  # as it is now that nobody deletes it
        for name, value in sorted(values.items()):
            _check_may_set(db, place, name)
            if name == SPECIAL_USE and place.folder is not None:
                _set_special_use(db, place, value or b"")
            else:
                _set(db, place, name, value)
        _check_bounds(db, place)
    return place


def annotations_of(
    db: psycopg.Connection[Any], reader: MailboxId, owners: Iterable[MailboxId]
) -> dict[tuple[FolderId | None, str], str]:
    """A digest of each value that the reader may see on the server and on folders of `owners`."""
    rows = db.execute(
        "SELECT folder_id, name, md5(value) FROM mail_annotation"
        " WHERE (owner_id = ANY(%s) AND (reader_id IS NULL OR reader_id = %s)) OR owner_id IS NULL",
        [list(owners), reader],
    ).fetchall()
    return {(folder, name): digest for folder, name, digest in rows}


def _find(db: psycopg.Connection[Any], reader: MailboxId, folder: str) -> Place:
    """Raises NoPermission without `l` and one of `rswip` (RFC 5464 §3.3)."""
    if not folder:
        return Place(reader)
    target = reach(db, reader, folder, "l")
    if not set("rswip") & set(target.rights):
        raise NoPermission
    state = open_folder(db, target.owner, target.name)
    return Place(reader, target.owner, state.id, state.special_use, target.rights)


_HERE = {
    True: "owner_id = %(owner)s AND folder_id = %(folder)s"
    " AND (reader_id IS NULL OR reader_id = %(reader)s)",
    False: "folder_id IS NULL AND (owner_id IS NULL OR owner_id = %(reader)s)",
}


def _stored(
    db: psycopg.Connection[Any],
    place: Place,
    names: Sequence[str],
    limit: int,
    depth: int | None,
) -> list[tuple[str, int, bytes | None]]:
    """Rows of name, size and value, of these names and all below them; long values are not read."""
    return db.execute(
        f"""
        SELECT name, octet_length(value),
            CASE WHEN octet_length(value) <= %(limit)s THEN value END
        FROM mail_annotation WHERE {_HERE[place.folder is not None]} AND (name = ANY(%(names)s)
            OR %(is_deep)s AND EXISTS (
                SELECT FROM unnest(%(names)s::text[]) AS n WHERE starts_with(name, n || '/')))
        """,
        {
            **_parameters(place),
            "names": list(names),
            "is_deep": depth != 0,
            "limit": limit,
        },
        binary=True,
    ).fetchall()


def _computed(db: psycopg.Connection[Any], place: Place) -> list[tuple[str, int, bytes | None]]:
    if place.folder is None:
        domain = quota_of(db, place.reader).address.partition("@")[2]
        value = f"mailto:postmaster@{domain}".encode()
        return [(SERVER_ADMIN, len(value), value)]
    if place.has_special_use and place.special_use:
        value = place.special_use.encode()
        return [(SPECIAL_USE, len(value), value)]
    return []


def _covers(asked: str, name: str, depth: int | None) -> bool:
    if name == asked:
        return True
    below = name.removeprefix(asked + "/")
    return below != name and (depth is None or below.count("/") < depth)


def _check_may_set(db: psycopg.Connection[Any], place: Place, name: str) -> None:
    """Private entries are every reader's own; shared ones need `w`, and the server's an administrator."""
    if name.startswith(PRIVATE) or "w" in place.rights:
        return
    if place.folder is not None or name == SERVER_ADMIN or not is_administrator(db, place.reader):
        raise NoPermission


def _set_special_use(db: psycopg.Connection[Any], place: Place, value: bytes) -> None:
    uses = value.decode("utf-8", "replace").split()
    if len(uses) > 1 or not place.has_special_use or place.folder is None:
        raise SpecialUseInvalid
    assign_use(db, place.reader, place.folder, uses[0] if uses else "")


def _set(db: psycopg.Connection[Any], place: Place, name: str, value: bytes | None) -> None:
    is_private = name.startswith(PRIVATE)
    owner = place.reader if is_private and place.folder is None else place.owner
    key = [owner, place.folder, place.reader if is_private else None, name]
    if value is None:
        db.execute(
            "DELETE FROM mail_annotation WHERE owner_id IS NOT DISTINCT FROM %s"
            " AND folder_id IS NOT DISTINCT FROM %s AND reader_id IS NOT DISTINCT FROM %s"
            " AND name = %s",
            key,
        )
    else:
        db.execute(
            "INSERT INTO mail_annotation (owner_id, folder_id, reader_id, name, value)"
            " VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (owner_id, folder_id, reader_id, name)"
            " DO UPDATE SET value = EXCLUDED.value",
            [*key, value],
        )


def _check_bounds(db: psycopg.Connection[Any], place: Place) -> None:
    """Raises TooManyAnnotations; after the change, in its transaction."""
    row = db.execute(
        f"""
        SELECT EXISTS (
            SELECT FROM mail_annotation WHERE {_HERE[place.folder is not None]}
            GROUP BY reader_id HAVING count(*) > {ENTRIES_MAXIMUM}
        ) OR EXISTS (
            SELECT FROM mail_annotation
            WHERE reader_id = %(reader)s OR (owner_id = %(owner)s AND reader_id IS NULL)
            GROUP BY reader_id HAVING sum(octet_length(value) + length(name)) > {TOTAL_MAXIMUM}
        )
        """,
        _parameters(place),
    ).fetchone()
    if row is not None and row[0]:
        raise TooManyAnnotations


def _parameters(place: Place) -> dict[str, int | None]:
    return {"owner": place.owner, "folder": place.folder, "reader": place.reader}
