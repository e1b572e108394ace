"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208 §7)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, GetQuota, GetQuotaRoot, SetQuota
from transport.imap.wire.cursor import Cursor


@parses("GETQUOTA")
def parse_get_quota(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return GetQuota(cursor.astring())


@parses("GETQUOTAROOT")
def parse_get_quota_root(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return GetQuotaRoot(cursor.folder())


@parses("SETQUOTA")
def parse_set_quota(cursor: Cursor, name: str) -> Command:
    cursor.space()
    root = cursor.astring()
    cursor.space()

    def limit() -> tuple[str, int]:
        resource = cursor.keyword()
        cursor.space()
        return resource, cursor.number()

    return SetQuota(root, tuple(cursor.parenthesised(limit)))
