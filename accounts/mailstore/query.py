"""What a SEARCH asks for, as a small tree (RFC 9051 §6.4.4). Pure: `search` turns it into SQL.

Text needles come folded (`structure` folds what is stored in the same way). Dates compare as days, without time
zone, as the RFC has it. Sequence numbers are resolved to UIDs by the session before.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from accounts.mailstore.values import ModSeq, Uid


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class Not:
    query: "Query"


@dataclass(frozen=True, slots=True)
class And:
    queries: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    queries: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class UidRanges:
    """UIDs in any of the inclusive ranges; `*` was resolved."""

    ranges: tuple[tuple[Uid, Uid], ...]


@dataclass(frozen=True, slots=True)
class HasFlag:
    """A system flag (`\\Seen`) or a keyword, by name; a keyword that the folder does not know matches nothing."""

    name: str


@dataclass(frozen=True, slots=True)
class TextContains:
    """`text` is TEXT (header and body), `header_text` the header alone; an empty needle matches every message.

    `is_fuzzy`: the words in any order, each with at most one letter wrong (RFC 6203).
    """

    where: Literal["subject", "sender", "recipients", "copied", "header_text", "body", "text"]
    needle: str
    is_fuzzy: bool = False


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """HEADER: the field `name` (any case) exists and its value contains the needle; "" asks for existence only."""

    name: str
    needle: str


@dataclass(frozen=True, slots=True)
class DateIs:
    """BEFORE, ON, SINCE over one of the three dates."""

    which: Literal["internal", "sent", "saved"]
    comparison: Literal["before", "on", "since"]
    day: date


@dataclass(frozen=True, slots=True)
class Within:
    """OLDER and YOUNGER (RFC 5032): the internal date is at least, or at most, that many seconds ago."""

    comparison: Literal["older", "younger"]
    seconds: int


@dataclass(frozen=True, slots=True)
class SizeIs:
    """LARGER and SMALLER, in octets of prefix and blob."""

    comparison: Literal["larger", "smaller"]
    octets: int


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """MODSEQ (RFC 7162 §3.1.5): this modseq or a higher one."""

    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class ObjectIs:
    """EMAILID and THREADID (RFC 8474 §6)."""

    kind: Literal["email", "thread"]
    number: int


Query = (
    All
    | Not
    | And
    | Or
    | UidRanges
    | HasFlag
    | TextContains
    | HeaderContains
    | DateIs
    | Within
    | SizeIs
    | ChangedSince
    | ObjectIs
)
