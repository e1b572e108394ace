"""What a SEARCH asks for (RFC 9051 §6.4.4, RFC 3501 §6.4.4), pure.

MODSEQ: RFC 7162 §3.1.5; OLDER, YOUNGER: RFC 5032; SAVED…: RFC 8514 §4.3; EMAILID, THREADID: RFC 8474 §6; FUZZY:
RFC 6203. The leaves are the mail store's own queries; only message sets wait for the session to resolve them.
\\Recent is not kept: RECENT and NEW find nothing, OLD everything.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from accounts.mailstore import query
from accounts.mailstore.search_texts import fold
from accounts.mailstore.values import ModSeq
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.dates import parse_date
from transport.imap.wire.object_ids import number_of
from transport.imap.wire.sequence import SequenceSet

DEPTH_MAXIMUM = 100
KEYS_MAXIMUM = 2000


@dataclass(frozen=True, slots=True)
class Leaf:
    """A key that is ready."""

    query: query.Query


@dataclass(frozen=True, slots=True)
class Messages:
    """A message set, by sequence number or UID."""

    messages: SequenceSet
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Not:
    key: "SearchKey"


@dataclass(frozen=True, slots=True)
class Or:
    first: "SearchKey"
    second: "SearchKey"


@dataclass(frozen=True, slots=True)
class And:
    keys: tuple["SearchKey", ...]


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Texts in `key` are compared loosely; they say so themselves."""

    key: "SearchKey"


SearchKey = Leaf | Messages | Not | Or | And | Fuzzy

_FLAGS = {
    "ANSWERED": "\\Answered",
    "DELETED": "\\Deleted",
    "DRAFT": "\\Draft",
    "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
}
_TEXTS: dict[
    str, Literal["subject", "sender", "recipients", "copied", "header_text", "body", "text"]
] = {
    "SUBJECT": "subject",
    "FROM": "sender",
    "TO": "recipients",
    "CC": "copied",
    "BODY": "body",
    "TEXT": "text",
}
_DATES: dict[str, tuple[Literal["internal", "sent", "saved"], Literal["before", "on", "since"]]] = {
    "BEFORE": ("internal", "before"),
    "ON": ("internal", "on"),
    "SINCE": ("internal", "since"),
    "SENTBEFORE": ("sent", "before"),
    "SENTON": ("sent", "on"),
    "SENTSINCE": ("sent", "since"),
    "SAVEDBEFORE": ("saved", "before"),
    "SAVEDON": ("saved", "on"),
    "SAVEDSINCE": ("saved", "since"),
}
_NOTHING = Not(Leaf(query.All()))


def parse_keys(cursor: Cursor, encoding: str) -> SearchKey:
    """search-key *(SP search-key), up to the end of the command; strings are in `encoding`."""
    return _Parser(cursor, encoding).keys(depth=0, closing=False)


class _Parser:
    def __init__(self, cursor: Cursor, encoding: str) -> None:
        self._cursor = cursor
        self._encoding = encoding
        self._count = 0
        self._is_fuzzy = False

    def keys(self, depth: int, *, closing: bool) -> SearchKey:
        """Keys up to ")" or the end: all of them must match."""
        found = [self._key(depth)]
        while not (self._cursor.accept(b")") if closing else self._cursor.at_end):
            self._cursor.space()
            found.append(self._key(depth))
        return found[0] if len(found) == 1 else And(tuple(found))

    def _key(self, depth: int) -> SearchKey:
        self._count += 1
        if depth > DEPTH_MAXIMUM or self._count > KEYS_MAXIMUM:
            raise ImapSyntaxError("search too complex")
        cursor = self._cursor
        if cursor.accept(b"("):
            return self.keys(depth + 1, closing=True)
        if cursor.peek() in b"0123456789*" and not cursor.at_end:
            if cursor.modes.uid_only:
                raise ImapSyntaxError("sequence numbers are off", b"UIDREQUIRED")
            return Messages(cursor.sequence_set(), by_uid=False)
        if cursor.peek() == b"$":
            return Messages(cursor.sequence_set(), by_uid=True)
        name = cursor.keyword()
        if name == "FUZZY":
            cursor.space()
            return self._fuzzy(depth + 1)
        if name == "NOT":
            cursor.space()
            return Not(self._key(depth + 1))
        if name == "OR":
            cursor.space()
            first = self._key(depth + 1)
            cursor.space()
            return Or(first, self._key(depth + 1))
        return self._simple(name)

    def _fuzzy(self, depth: int) -> SearchKey:
        """What is no text is compared exactly within FUZZY too (RFC 6203 §5 leaves that to the server)."""
        outer, self._is_fuzzy = self._is_fuzzy, True
        try:
            return Fuzzy(self._key(depth))
        finally:
            self._is_fuzzy = outer

    def _simple(self, name: str) -> SearchKey:
        if name in _FLAGS:
            return Leaf(query.HasFlag(_FLAGS[name]))
        if name.startswith("UN") and name[2:] in _FLAGS:
            return Not(Leaf(query.HasFlag(_FLAGS[name[2:]])))
        if name in ("ALL", "OLD", "SAVEDATESUPPORTED"):
            return Leaf(query.All())
        if name in ("RECENT", "NEW"):
            return _NOTHING
        take = getattr(self, f"_take_{name.lower()}", None)
        if name in _TEXTS:
            take = self._text
        elif name in _DATES:
            take = self._date
        if take is None:
            raise ImapSyntaxError(f"unknown search key {name}")
        self._cursor.space()
        parser: Callable[[str], SearchKey] = take
        return parser(name)

    def _text(self, name: str) -> SearchKey:
        return Leaf(query.TextContains(_TEXTS[name], self._needle(), self._is_fuzzy))

    def _date(self, name: str) -> SearchKey:
        which, comparison = _DATES[name]
        return Leaf(query.DateIs(which, comparison, self._day()))

    def _take_bcc(self, name: str) -> SearchKey:
        return Leaf(query.HeaderContains("bcc", self._needle()))

    def _take_header(self, name: str) -> SearchKey:
        field = self._cursor.astring().decode("ascii", "replace")
        self._cursor.space()
        return Leaf(query.HeaderContains(field, self._needle()))

    def _take_older(self, name: str) -> SearchKey:
        return Leaf(query.Within("older", self._seconds()))

    def _take_younger(self, name: str) -> SearchKey:
        return Leaf(query.Within("younger", self._seconds()))

    def _take_emailid(self, name: str) -> SearchKey:
        return self._object_id("email", b"M")

    def _take_threadid(self, name: str) -> SearchKey:
        return self._object_id("thread", b"T")

    def _take_keyword(self, name: str) -> SearchKey:
        return Leaf(query.HasFlag(self._cursor.atom().decode("ascii")))

    def _take_unkeyword(self, name: str) -> SearchKey:
        return Not(self._take_keyword(name))

    def _take_larger(self, name: str) -> SearchKey:
        return Leaf(query.SizeIs("larger", self._cursor.number()))

    def _take_smaller(self, name: str) -> SearchKey:
        return Leaf(query.SizeIs("smaller", self._cursor.number()))

    def _take_uid(self, name: str) -> SearchKey:
        return Messages(self._cursor.sequence_set(), by_uid=True)

    def _take_modseq(self, name: str) -> SearchKey:
        """ "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer; modseqs are not kept by flag."""
        if self._cursor.peek() == b'"':
            self._cursor.string()
            self._cursor.space()
            if self._cursor.keyword() not in ("ALL", "PRIV", "SHARED"):
                raise ImapSyntaxError("entry type expected")
            self._cursor.space()
        return Leaf(query.ChangedSince(ModSeq(self._cursor.number())))

    def _seconds(self) -> int:
        """nz-number (RFC 5032 §4)"""
        seconds = self._cursor.number()
        if not seconds:
            raise ImapSyntaxError("an interval is at least a second")
        return seconds

    def _object_id(self, kind: Literal["email", "thread"], letter: bytes) -> SearchKey:
        number = number_of(self._cursor.atom(), letter)
        return _NOTHING if number is None else Leaf(query.ObjectIs(kind, number))

    def _needle(self) -> str:
        try:
            return fold(self._cursor.astring().decode(self._encoding))
        except UnicodeDecodeError:
            raise ImapSyntaxError("text is not in the charset") from None

    def _day(self) -> date:
        text = self._cursor.astring()
        day = parse_date(text)
        if day is None:
            raise ImapSyntaxError("bad date")
        return day


def holds_modseq(key: SearchKey) -> bool:
    """Whether the search names a modseq, which makes its answer carry one (RFC 7162 §3.1.5)."""
    return any(isinstance(k, Leaf) and isinstance(k.query, query.ChangedSince) for k in _walk(key))


def is_fuzzy(key: SearchKey) -> bool:
    """Whether any key is FUZZY."""
    return any(isinstance(k, Fuzzy) for k in _walk(key))


def count_keys(key: SearchKey) -> int:
    """How many keys there are, those that hold others among them."""
    return sum(1 for _ in _walk(key))


def _walk(key: SearchKey) -> Iterator[SearchKey]:
    yield key
    match key:
        case And(keys):
            for inner in keys:
                yield from _walk(inner)
        case Or(first, second):
            yield from _walk(first)
            yield from _walk(second)
        case Not(inner) | Fuzzy(inner):
            yield from _walk(inner)
