"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208). Resources: STORAGE, in units of 1024 octets, and MESSAGE.

A mailbox is one quota root, called after its owner's address. Others' roots are for administrators, who may also set
limits; who may read a shared folder may ask for its root.
"""

from accounts.mailstore.quota import QuotaState, quota_at, quota_of, set_quota
from accounts.mailstore.sharing import reach
from accounts.mailstore.values import MailboxId
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import GetQuota, GetQuotaRoot, SetQuota
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.responses import string

UNIT = 1024
STORAGE_MAXIMUM = 2**52  # units: as octets they fit 63 bits
_ROOT = b"#user/"


@handles("GETQUOTA", states=LOGGED_IN)
async def get_quota(session: Session, command: GetQuota) -> Reply:
    address = _address(command.root)
    if not address:
        return no("No such quota root", b"NONEXISTENT")
    quota = await session.database.run(quota_at, session.owner, address)
    session.write(_quota_line(quota))
    return ok("Done")


@handles("GETQUOTAROOT", states=LOGGED_IN)
async def get_quota_root(session: Session, command: GetQuotaRoot) -> Reply:
    """The folder need not exist."""
    quota = await session.database.run(_quota_of_folder, session.owner, command.folder)
    name = render_folder_name(command.folder, utf8=session.utf8)
    session.write(b"* QUOTAROOT %b %b\r\n" % (name, _root(quota)))
    session.write(_quota_line(quota))
    return ok("Done")


@handles("SETQUOTA", states=LOGGED_IN)
async def set_quota_(session: Session, command: SetQuota) -> Reply:
    """A limit that is not named is removed (§4.1.3)."""
    limits = dict(command.limits)
    storage, messages = limits.pop("STORAGE", None), limits.pop("MESSAGE", None)
    if limits or (storage or 0) > STORAGE_MAXIMUM:
        return no("This limit cannot be set", b"CANNOT")
    address = _address(command.root)
    if not address:
        return no("No such quota root", b"NONEXISTENT")
    quota = await session.database.run(
        set_quota,
        session.owner,
        address,
        limit_bytes=None if storage is None else storage * UNIT,
        limit_messages=messages,
    )
    session.write(_quota_line(quota))
    return ok("Done")


def _quota_of_folder(db: Connection, reader: MailboxId, name: str) -> QuotaState:
    return quota_of(db, reach(db, reader, name, "r").owner)


def _quota_line(quota: QuotaState) -> bytes:
    resources = []
    if quota.limit_bytes is not None:
        limits = (-(-quota.used_bytes // UNIT), -(-quota.limit_bytes // UNIT))
        resources.append(b"STORAGE %d %d" % limits)
    if quota.limit_messages is not None:
        resources.append(b"MESSAGE %d %d" % (quota.used_messages, quota.limit_messages))
    return b"* QUOTA %b (%b)\r\n" % (_root(quota), b" ".join(resources))


def _root(quota: QuotaState) -> bytes:
    return string(_ROOT + quota.address.encode())


def _address(root: bytes) -> str:
    """Whose root it is, or "" for what is no root of ours."""
    return root.removeprefix(_ROOT).decode("utf-8", "replace") if root.startswith(_ROOT) else ""
