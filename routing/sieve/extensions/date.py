"""date: the tests date and currentdate (RFC 5260 §4, §5).

A field's date is all of it, or what stands behind its last semicolon, as in Received. The local zone is the owner's.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from accounts.mailstore.dates import parse_date
from accounts.mailstore.headers import unfold
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, FieldSource, Shape, Signature, TagKind
from routing.sieve.matching import Matcher
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run
    from routing.sieve.message import HeaderField

# time-zone = ( "+" / "-" ) 4DIGIT, as far as it is less than a day
_ZONE = re.compile(r"([+-])([01][0-9]|2[0-3])([0-5][0-9])", re.ASCII)
_JULIAN_DAY_0 = 678576  # the ordinal of 17 November 1858
_NOW = "date"  # the key of Run.state


def _zone(at: datetime) -> str:
    offset = at.utcoffset() or timedelta(0)
    hours, minutes = divmod(int(abs(offset).total_seconds()) // 60, 60)
    return f"{'-' if offset < timedelta(0) else '+'}{hours:02}{minutes:02}"


def _iso8601(at: datetime) -> str:
    zone = _zone(at)
    return _local(at).isoformat() + ("Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}")


def _local(at: datetime) -> datetime:
    return at.replace(tzinfo=None, microsecond=0)


PARTS: dict[str, Callable[[datetime], str]] = {
    "year": lambda at: f"{at.year:04}",
    "month": lambda at: f"{at.month:02}",
    "day": lambda at: f"{at.day:02}",
    "date": lambda at: at.date().isoformat(),
    "julian": lambda at: str(at.toordinal() - _JULIAN_DAY_0),
    "hour": lambda at: f"{at.hour:02}",
    "minute": lambda at: f"{at.minute:02}",
    "second": lambda at: f"{at.second:02}",
    "time": lambda at: _local(at).time().isoformat(),
    "iso8601": _iso8601,
    "std11": format_datetime,
    "zone": _zone,
    "weekday": lambda at: str(at.isoweekday() % 7),
}


@dataclass(frozen=True, slots=True)
class _Date:
    """`zone` None is the owner's; so is that of currentdate with `:originalzone`, which it does not take."""

    zone: Text | None
    is_original: bool
    name: Text | None
    part: Text
    fields: FieldSource
    matcher: Matcher

    def holds(self, run: "Run") -> bool:
        at = (
            _now(run)
            if self.name is None
            else _date_of(self.fields(run, (text_of(run, self.name),)))
        )
        part = PARTS.get(text_of(run, self.part).lower())
        values: Sequence[str] = ()
        if at is not None and part is not None:
            shifted = at if self.is_original else _shifted(at, self._zone(run))
            values = (part(shifted),) if shifted is not None else ()
        return self.matcher.matches(run, values)

    def _zone(self, run: "Run") -> tzinfo | None:
        if self.zone is None:
            return _now(run).tzinfo
        text = text_of(run, self.zone)
        zone = _parsed_zone(text)
        if zone is None:
            raise RunError(f"{text[:50]!r} is no time zone, as +0100")
        return zone


def _now(run: "Run") -> datetime:
    """The same in all tests of a run (§5)."""
    if _NOW not in run.state:
        run.state[_NOW] = run.host.now()
    now: datetime = run.state[_NOW]
    return now


def _date_of(found: "Sequence[HeaderField]") -> datetime | None:
    """The date of the first of the fields, in its own zone."""
    if not found:
        return None
    value = unfold(found[0].raw)
    before, _, last = value.rpartition(b";")
    sent = parse_date(last.strip()) or (parse_date(value) if before else None)
    if sent is None or abs(sent.offset) >= timedelta(days=1):
        return None
    return _shifted(sent.at, timezone(sent.offset))


def _shifted(at: datetime, zone: tzinfo | None) -> datetime | None:
    try:
        return at.astimezone(zone)
    except (OverflowError, ValueError):  # beyond the years 1 to 9999
        return None


def _parsed_zone(text: str) -> timezone | None:
    match = _ZONE.fullmatch(text)
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-offset if match[1] == "-" else offset)


def _check_zone(call: Call, zone: Any) -> None:
    if isinstance(zone, str) and _parsed_zone(zone) is None:
        raise call.invalid(f"{zone[:50]!r} is no time zone, as +0100")


def _built(call: Call, name: Text | None, part_at: int) -> _Date:
    part = call.text(part_at)
    if isinstance(part, str) and part.lower() not in PARTS:
        raise call.invalid(f"{part[:50]!r} is no part of a date", part_at)
    matcher = call.matcher(call.texts(part_at + 1))
    is_original = call.tag_name("zone") == "originalzone"
    return _Date(call.tag("zone"), is_original, name, part, call.fields, matcher)


def _date(call: Call) -> _Date:
    return _built(call, call.text(0), 1)


def _currentdate(call: Call) -> _Date:
    return _built(call, None, 0)


_ZONE_TAG = TagKind("zone", Shape.STRING, check=_check_zone)

EXTENSION = Extension(
    "date",
    tests=(
        Signature(
            "date",
            _date,
            (Shape.STRING, Shape.STRING, Shape.STRINGS),
            tags=(_ZONE_TAG, TagKind("originalzone", group="zone")),
            matches=True,
        ),
        Signature(
            "currentdate",
            _currentdate,
            (Shape.STRING, Shape.STRINGS),
            tags=(_ZONE_TAG,),
            matches=True,
        ),
    ),
)
