"""Tagged responses (RFC 9051 §7.1, RFC 5530), and the one place where an error becomes one."""

import logging
import secrets
from dataclasses import dataclass

import psycopg

from accounts.mailstore.annotations import VALUE_MAXIMUM
from accounts.mailstore.sharing_rights import NoSuchGrantee, OwnerKeepsRights, TooManyGrants
from accounts.mailstore.values import (
    AnnotationTooLong,
    FolderExists,
    FolderHasChildren,
    FolderNameInvalid,
    FolderNotRemovable,
    MailstoreError,
    NoPermission,
    NoSuchFolder,
    OverQuota,
    SpecialUseInvalid,
    TooManyAnnotations,
    TooManyFolders,
    TooManyKeywords,
)
from transport.imap.wire.responses import status_line

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command ended."""

    condition: str
    text: str
    code: bytes = b""

    def line(self, tag: bytes) -> bytes:
        return status_line(tag, self.condition, self.text, self.code)


class Refused(Exception):
    """A command cannot go on; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


def ok(text: str, code: bytes = b"") -> Reply:
    return Reply("OK", text, code)


def no(text: str, code: bytes = b"") -> Reply:
    return Reply("NO", text, code)


def bad(text: str, code: bytes = b"") -> Reply:
    return Reply("BAD", text, code)


_REFUSALS: dict[type[MailstoreError], tuple[str, bytes]] = {
    NoSuchFolder: ("No such folder", b"NONEXISTENT"),
    NoPermission: ("You lack the right to do this", b"NOPERM"),
    FolderExists: ("The folder exists", b"ALREADYEXISTS"),
    FolderHasChildren: ("No folder, only others below it", b"HASCHILDREN"),
    FolderNameInvalid: ("No folder may be called that", b"CANNOT"),
    FolderNotRemovable: ("This folder cannot be removed", b"CANNOT"),
    AnnotationTooLong: ("The value is too long", b"METADATA MAXSIZE %d" % VALUE_MAXIMUM),
    TooManyAnnotations: ("There are too many annotations", b"METADATA TOOMANY"),
    TooManyFolders: ("There are too many folders", b"LIMIT"),
    SpecialUseInvalid: ("The folder cannot have that special use", b"USEATTR"),
    OverQuota: ("The mailbox is full", b"OVERQUOTA"),
    NoSuchGrantee: ("Nobody has that name", b"CANNOT"),
    OwnerKeepsRights: ("The owner keeps every right", b"CANNOT"),
    TooManyGrants: ("The list of rights is full", b"LIMIT"),
    TooManyKeywords: ("The folder has too many keywords", b"LIMIT"),
}

_PASSING = (psycopg.OperationalError, OSError)
"""The database is away, a lock or a statement took too long: the client may try again."""


def reply_to(error: Exception, *, command: str) -> Reply:
    """What the client hears of an error; what is our own failure goes to the log, under an id."""
    if isinstance(error, Refused):
        return error.reply
    if isinstance(error, MailstoreError):
        text, code = _REFUSALS.get(type(error), ("It cannot be done", b"CANNOT"))
        return no(text, code)
    incident = secrets.token_hex(4)
    if isinstance(error, _PASSING):
        logger.error("%s failed for now (%s): %s", command, incident, error)
        return no(f"Try again later ({incident})", b"UNAVAILABLE")
    logger.error("%s failed (%s)", command, incident, exc_info=error)
    return no(f"Internal error ({incident})", b"SERVERBUG")
