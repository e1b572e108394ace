"""OBJECTID's identifiers (RFC 8474): a letter, so that the kinds never clash, and the row's number. Pure."""

import re

_OBJECT_ID = re.compile(rb"([FMT])([1-9][0-9]{0,17})")


def mailbox_id(folder_id: int) -> bytes:
    """Of a folder: it survives a RENAME, and is never used again."""
    return b"F%d" % folder_id


def email_id(message_id: int) -> bytes:
    """Of a message of one owner, whichever folders it is in."""
    return b"M%d" % message_id


def thread_id(number: int) -> bytes:
    """Of a conversation."""
    return b"T%d" % number


def number_of(object_id: bytes, kind: bytes) -> int | None:
    """The row's number, or None for what is no identifier of that kind (b"F", b"M", b"T")."""
    match = _OBJECT_ID.fullmatch(object_id)
    return int(match[2]) if match and match[1] == kind else None
