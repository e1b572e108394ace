"""SELECT and EXAMINE with their parameters (RFC 9051 §6.3.2-3; CONDSTORE and QRESYNC: RFC 7162 §3.1.8, §3.2.5), pure."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, Resync, Select
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.sequence import STAR, SequenceSet


@parses("SELECT", "EXAMINE")
def parse_select(cursor: Cursor, name: str) -> Command:
    """select-params = SP "(" select-param *(SP select-param) ")" """
    cursor.space()
    folder = cursor.folder_as_sent()
    condstore = False
    resync = None
    if not cursor.at_end:
        cursor.space()
        cursor.expect(b"(")
        while not cursor.accept(b")"):
            if condstore:
                cursor.space()
            match cursor.keyword():
                case "CONDSTORE":
                    pass
                case "QRESYNC" if resync is None:
                    resync = _resync(cursor)
                case _:
                    raise ImapSyntaxError("unknown parameter")
            condstore = True
    return Select(folder, name == "EXAMINE", condstore, resync)


def _resync(cursor: Cursor) -> Resync:
    """SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")" """
    if not cursor.modes.qresync:
        raise ImapSyntaxError("QRESYNC is not enabled")
    cursor.space()
    cursor.expect(b"(")
    uid_validity = cursor.number()
    cursor.space()
    modseq = cursor.number()
    known = numbers = uids = None
    if not cursor.accept(b")"):
        cursor.space()
        if cursor.peek() != b"(":
            known = _plain_set(cursor)
            if cursor.peek() == b" ":
                cursor.space()
        if cursor.accept(b"("):
            numbers = _plain_set(cursor)
            cursor.space()
            uids = _plain_set(cursor)
            cursor.expect(b")")
            if cursor.modes.uid_only:
                raise ImapSyntaxError("sequence numbers are off", b"UIDREQUIRED")
            if numbers.size != uids.size:
                raise ImapSyntaxError("as many numbers as UIDs expected")
        cursor.expect(b")")
    return Resync(uid_validity, modseq, known, numbers, uids)


def _plain_set(cursor: Cursor) -> SequenceSet:
    """A set without `*` and `$`."""
    found = cursor.sequence_set()
    if found.is_saved or any(high == STAR for _, high in found.ranges):
        raise ImapSyntaxError("only numbers expected")
    return found
