"""SEARCH, SORT and THREAD (RFC 9051 §6.4.4; SORT, THREAD: RFC 5256 §3; RETURN: RFC 4731, RFC 5267 §3)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, Returns, Search, Thread
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.partial import PartialRange, parse_partial
from transport.imap.wire.search_keys import SearchKey, is_fuzzy, parse_keys

RETURNS = frozenset(("MIN", "MAX", "ALL", "COUNT", "SAVE", "RELEVANCY"))
CRITERIA = frozenset(("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO")) | {
    "DISPLAYFROM",  # RFC 5957
    "DISPLAYTO",
    "RELEVANCY",  # RFC 6203 §6
}
CRITERIA_MAXIMUM = 20
ALGORITHMS = frozenset(("ORDEREDSUBJECT", "REFERENCES"))
CHARSETS = {"UTF-8": "utf-8", "US-ASCII": "ascii"}


@parses("SEARCH", "UID SEARCH")
def parse_search(cursor: Cursor, name: str) -> Command:
    cursor.space()
    returns = _returns(cursor)
    charset = "UTF-8"
    if cursor.accept(b"CHARSET "):
        if "UTF8=ACCEPT" in cursor.modes.enabled:
            raise ImapSyntaxError("with UTF8=ACCEPT there is no CHARSET")  # RFC 6855 §3
        charset = _charset(cursor)
    key = _keys(cursor, charset)
    _check_relevancy(key, asked="RELEVANCY" in (returns.options if returns else ()))
    return Search(key, name.startswith("UID"), returns)


@parses("SORT", "UID SORT")
def parse_sort(cursor: Cursor, name: str) -> Command:
    cursor.space()
    returns = _returns(cursor)
    criteria = _criteria(cursor)
    cursor.space()
    key = _keys(cursor, _charset(cursor))
    asked = ("RELEVANCY", False) in criteria or ("RELEVANCY", True) in criteria
    _check_relevancy(key, asked=asked or "RELEVANCY" in (returns.options if returns else ()))
    return Search(key, name.startswith("UID"), returns, criteria)


@parses("THREAD", "UID THREAD")
def parse_thread(cursor: Cursor, name: str) -> Command:
    cursor.space()
    algorithm = cursor.keyword()
    if algorithm not in ALGORITHMS:
        raise ImapSyntaxError("unknown threading algorithm")
    cursor.space()
    return Thread(algorithm, _keys(cursor, _charset(cursor)), name.startswith("UID"))


def _returns(cursor: Cursor) -> Returns | None:
    """["RETURN (" options ") "]; without any it is ALL (RFC 4731 §3.1)."""
    if not cursor.accept(b"RETURN "):
        return None
    options: set[str] = set()
    partial: PartialRange | None = None
    cursor.expect(b"(")
    while not cursor.accept(b")"):
        if options:
            cursor.space()
        option = cursor.keyword()
        if option == "PARTIAL" and partial is None:
            cursor.space()
            partial = parse_partial(cursor)
        elif option not in RETURNS:
            raise ImapSyntaxError("unknown search return option")
        options.add(option)
    if {"PARTIAL", "ALL"} <= options:
        raise ImapSyntaxError("PARTIAL or ALL, not both")  # RFC 9394 §3.1
    cursor.space()
    return Returns(frozenset(options or ("ALL",)), partial)


def _criteria(cursor: Cursor) -> tuple[tuple[str, bool], ...]:
    """ "(" ["REVERSE" SP] sort-key *(SP ["REVERSE" SP] sort-key) ")" """
    criteria: list[tuple[str, bool]] = []
    cursor.expect(b"(")
    while not (criteria and cursor.accept(b")")):
        if criteria:
            cursor.space()
        is_reverse = cursor.accept(b"REVERSE ")
        name = cursor.keyword()
        if name not in CRITERIA or len(criteria) >= CRITERIA_MAXIMUM:
            raise ImapSyntaxError("unknown sort criterion or too many")
        criteria.append((name, is_reverse))
    return tuple(criteria)


def _charset(cursor: Cursor) -> str:
    charset = cursor.astring().decode("ascii", "replace").upper()
    cursor.space()
    return charset


def _keys(cursor: Cursor, charset: str) -> SearchKey | None:
    """The keys up to the end; None when nobody can read them."""
    encoding = CHARSETS.get(charset)
    if encoding is None:
        cursor.position = len(cursor.buffer)
        return None
    return parse_keys(cursor, encoding)


def _check_relevancy(key: SearchKey | None, *, asked: bool) -> None:
    if asked and key is not None and not is_fuzzy(key):
        raise ImapSyntaxError("RELEVANCY needs a FUZZY key")  # RFC 6203 §4
