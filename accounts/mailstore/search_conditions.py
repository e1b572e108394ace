"""A query tree as a condition in SQL over `e` (mail_entry), `m` (mail_message) and `t` (mail_search_text). Pure.

RFC 9051 §6.4.4, RFC 5032 (WITHIN), RFC 7162 §3.1.5 (MODSEQ), RFC 6203 (FUZZY), RFC 8474 (EMAILID, THREADID). Substrings
are looked for in folded text, which no index serves: the other conditions of an AND come first, so that fewer texts are
read. The short columns are searched by LIKE, of which the planner knows from its statistics how many will match; the
long ones by strpos, which is three times as fast there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, assert_never

from accounts.mailstore.flagbits import FIRST_KEYWORD_BIT, SYSTEM_FLAGS
from accounts.mailstore.query import (
    All,
    And,
    ChangedSince,
    DateIs,
    HasFlag,
    HeaderContains,
    Not,
    ObjectIs,
    Or,
    Query,
    SizeIs,
    TextContains,
    UidRanges,
    Within,
)

# Beyond the year 9999 there is no date; a client's `BEFORE 31-Dec-9999` must not fail.
_LAST_DAY = date.max
# More seconds than any message is old.
_SECONDS_MAXIMUM = 10_000_000_000
_BIGINT_MAXIMUM = (1 << 63) - 1

_TEXT_COLUMNS = {
    "subject": ("subject",),
    "sender": ("sender",),
    "recipients": ("recipients",),
    "copied": ("copied",),
    "header_text": ("header",),
    "body": ("body",),
    "text": ("header", "body"),
}
_LONG_COLUMNS = ("header", "body")
_FUZZY_WORDS_MAXIMUM = 8
_FUZZY_LETTERS_MAXIMUM = 32
_ANY = "\ue000"  # stands for any letter until the rest is quoted
# The keyword's bit in this folder, found once a statement.
_KEYWORD = """(e.flags & (
    SELECT COALESCE(bit_or(1::bigint << (k.position + %(first_bit)s - 1)::int), 0)
    FROM mail_folder f, unnest(f.keywords) WITH ORDINALITY AS k(name, position)
    WHERE f.owner_id = %(owner)s AND f.id = %(folder)s AND lower(k.name) = %(name)s
)) <> 0"""


@dataclass(slots=True)
class Condition:
    """The text with named placeholders (`owner` and `folder` are the caller's), and which tables it reads."""

    sql: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    reads_messages: bool = False
    reads_texts: bool = False
    reads_long_texts: bool = False
    scores: list[str] = field(default_factory=list)

    @property
    def score(self) -> str:
        """The relevancy of an entry that matches: the mean over the fuzzy texts, 1 for one that is not there."""
        if not self.scores:
            return "100"
        return f"(({' + '.join(self.scores)}) / {len(self.scores)})::int"


def condition_of(query: Query) -> Condition:
    """The condition that holds for the entries that match."""
    compiler = _Compiler()
    compiler.condition.sql = compiler.compile(query)
    return compiler.condition


class _Compiler:
    def __init__(self) -> None:
        self.condition = Condition()

    def compile(self, query: Query) -> str:
        match query:
            case All():
                return "true"
            case Not(inner):
                return f"NOT {self.compile(inner)}"
            case And(queries):
                return self._joined(" AND ", sorted(queries, key=_cost), empty="true")
            case Or(queries):
                return self._joined(" OR ", sorted(queries, key=_cost), empty="false")
            case UidRanges(ranges):
                return self._uids(ranges)
            case HasFlag(name):
                return self._flag(name)
            case TextContains(where, needle, is_fuzzy):
                return (self._fuzzy if is_fuzzy else self._text)(where, needle)
            case HeaderContains(name, needle):
                return self._header(name, needle)
            case DateIs():
                return self._date(query)
            case Within(comparison, seconds):
                sign = "<=" if comparison == "older" else ">="
                span = self._value(timedelta(seconds=min(seconds, _SECONDS_MAXIMUM)))
                return f"e.internal_date {sign} now() - {span}::interval"
            case SizeIs(comparison, octets):
                self.condition.reads_messages = True
                sign = ">" if comparison == "larger" else "<"
                return f"m.size {sign} {self._number(octets)}"
            case ChangedSince(modseq):
                return f"e.modseq >= {self._number(modseq)}"
            case ObjectIs("email", number):
                return f"e.message_id = {self._number(number)}"
            case ObjectIs(_, number):
                self.condition.reads_messages = True
                return f"m.thread_id = {self._number(number)}"
            case _:
                assert_never(query)

    def _value(self, value: Any) -> str:
        name = f"p{len(self.condition.parameters)}"
        self.condition.parameters[name] = value
        return f"%({name})s"

    def _number(self, value: int) -> str:
        return f"{self._value(min(value, _BIGINT_MAXIMUM))}::bigint"

    def _joined(self, operator: str, queries: Iterable[Query], empty: str) -> str:
        return f"({operator.join([self.compile(query) for query in queries]) or empty})"

    def _uids(self, ranges: tuple[tuple[int, int], ...]) -> str:
        """As one multirange, which is searched in logarithmic time; its ends serve the index."""
        if not ranges:
            return "false"
        low, high = min(first for first, _ in ranges), max(last for _, last in ranges)
        bounds = f"e.uid BETWEEN {self._number(low)} AND {self._number(high)}"
        if len(ranges) == 1:
            return f"({bounds})"
        text = ",".join(f"[{first},{last}]" for first, last in ranges if first <= last)
        return f"({bounds} AND e.uid <@ {self._value('{' + text + '}')}::text::int8multirange)"

    def _flag(self, name: str) -> str:
        if name.startswith("\\"):
            bit = SYSTEM_FLAGS.get(name.lower(), 0)
            return f"(e.flags & {bit}) <> 0"
        placeholder = self._value(name.lower())[2:-2]
        return _KEYWORD.replace("%(name)s", f"%({placeholder})s::text").replace(
            "%(first_bit)s", str(FIRST_KEYWORD_BIT)
        )

    def _text(self, where: str, needle: str) -> str:
        if not needle:
            return "true"
        self.condition.reads_texts = True
        needle = _storable(needle)
        return f"({' OR '.join(self._contains(column, needle) for column in _TEXT_COLUMNS[where])})"

    def _contains(self, column: str, needle: str) -> str:
        if column in _LONG_COLUMNS:
            self.condition.reads_long_texts = True
            return f"strpos(t.{column}, {self._value(needle)}::text) > 0"
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", needle) + "%"
        return f"t.{column} LIKE {self._value(pattern)}::text"

    def _fuzzy(self, where: str, needle: str) -> str:
        """Every word somewhere in the columns, as it is or with one letter more, less or another (RFC 6203)."""
        words = _storable(needle).split()[:_FUZZY_WORDS_MAXIMUM]
        if not words:
            return "true"
        self.condition.reads_texts = True
        matches = " AND ".join(self._loosely(where, word) for word in words)
        exactly = " AND ".join(self._text(where, word) for word in words)
        self.condition.scores.append(
            f"CASE WHEN {self._text(where, ' '.join(words))} THEN 100 WHEN {exactly} THEN 75"
            f" WHEN {matches} THEN 40 ELSE 1 END"
        )
        return f"({matches})"

    def _loosely(self, where: str, word: str) -> str:
        if not 3 <= len(word) <= _FUZZY_LETTERS_MAXIMUM:
            return self._text(where, word)
        self.condition.reads_long_texts = True
        pattern = self._value(_loose_pattern(word))
        found = " OR ".join(f"t.{column} ~ {pattern}::text" for column in _TEXT_COLUMNS[where])
        return f"({found})"

    def _header(self, name: str, needle: str) -> str:
        """`header` has a line `name: value` for each field; the plain search first, since it is quicker."""
        self.condition.reads_texts = True
        needle = _storable(needle)
        pattern = f"\n{_literal(_storable(name).lower())} *:[^\n]*{_literal(needle)}"
        self.condition.reads_long_texts = True
        matches = f"t.header ~ {self._value(pattern)}::text"
        if not needle:
            return matches
        return f"(strpos(t.header, {self._value(needle)}::text) > 0 AND {matches})"

    def _date(self, query: DateIs) -> str:
        if query.which == "sent":
            self.condition.reads_messages = True
            sign = {"before": "<", "on": "=", "since": ">="}[query.comparison]
            return f"m.sent_on {sign} {self._value(query.day)}::date"
        column = "e.internal_date" if query.which == "internal" else "e.save_date"
        start = f"{self._value(_midnight(query.day))}::timestamptz"
        if query.comparison == "before":
            return f"{column} < {start}"
        if query.comparison == "since" or query.day == _LAST_DAY:
            return f"{column} >= {start}"
        end = f"{self._value(_midnight(query.day + timedelta(days=1)))}::timestamptz"
        return f"({column} >= {start} AND {column} < {end})"


def _cost(query: Query) -> int:
    """What reads texts comes last."""
    match query:
        case TextContains() | HeaderContains():
            return 2
        case Not(inner):
            return _cost(inner)
        case And(queries) | Or(queries):
            return max(map(_cost, queries), default=0)
        case SizeIs():
            return 1
        case DateIs(which):
            return 1 if which == "sent" else 0
        case _:
            return 0


def _midnight(day: date) -> datetime:
    """Dates are told to clients in UTC, and so a day is one of UTC."""
    return datetime.combine(day, time(), UTC)


def _storable(text: str) -> str:
    """What PostgreSQL takes as text: no NUL, no lone surrogate."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _loose_pattern(word: str) -> str:
    """A regular expression for the word with at most one letter wrong, which is not the first."""
    forms = [
        word[:at] + _ANY + word[at + 1 :] for at in range(1, len(word))
    ]  # another, or one less
    forms += [word[:at] + _ANY + word[at:] for at in range(1, len(word))]
    return "|".join(_literal(form).replace(_ANY, "[^ \n]?") for form in forms)


def _literal(text: str) -> str:
    """Text that stands for itself in a regular expression of PostgreSQL: a backslash before all but letters and digits."""
    return "".join(
        character if character.isalnum() or not character.isascii() else f"\\{character}"
        for character in text
    )
