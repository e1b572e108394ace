"""The Date field, read tolerantly. RFC 5322 §3.3 and §4.3, and C's asctime."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_MONTHS = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}
# obs-zone; the military letters mean nothing certain, and so -0000 (RFC 5322 §4.3).
_ZONES = {b"est": -5, b"edt": -4, b"cst": -6, b"cdt": -5, b"mst": -7, b"mdt": -6, b"pst": -8, b"pdt": -7}  # fmt: skip

# date-time = [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone
_DATE_TIME = re.compile(
    rb"(?<!\d)(\d{1,2})[ -]{1,3}([A-Za-z]{3})[A-Za-z]{0,6}\.?[ ,-]{1,3}(\d{2,4})[ ,]{1,3}"
    rb"(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\.\d{1,6})? {0,3}([+-]\d{4}|[A-Za-z]{1,5})?"
)
_ASCTIME = re.compile(
    rb"([A-Za-z]{3}) {1,2}(\d{1,2}) {1,2}(\d{1,2}):(\d{2})(?::(\d{2}))? {1,2}"
    rb"(?:([A-Za-z]{1,5}|[+-]\d{4}) {1,2})?(\d{4})"
)
_COMMENT = re.compile(rb"\([^()]*\)")
_VALUE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class SentDate:
    """`at` in UTC; `on` is the day as it was written, whatever the zone; `offset` is that of the zone."""

    at: datetime
    on: date
    offset: timedelta = timedelta(0)


def parse_date(value: bytes) -> SentDate | None:
    """An unfolded Date value; None if it is unreadable."""
    value = value[:_VALUE_LIMIT].replace(b"\t", b" ")
    if b"(" in value:
        value = _COMMENT.sub(b" ", value)
    if match := _DATE_TIME.search(value):
        day, month, year, hour, minute, second, zone = match.groups()
    elif match := _ASCTIME.search(value):
        month, day, hour, minute, second, zone, year = match.groups()
    else:
        return None
    number = _MONTHS.get(month.lower())
    if number is None:
        return None
    try:
        # A leap second (60) is the second before.
        local = datetime(
            _year(year),
            number,
            int(day),
            int(hour),
            int(minute),
            min(int(second or 0), 59),
            tzinfo=UTC,
        )
        offset = _offset(zone or b"")
        return SentDate(local - offset, local.date(), offset)
    except (ValueError, OverflowError):
        return None


def _year(digits: bytes) -> int:
    """obs-year: two digits are 2000-2049 or 1950-1999, three count from 1900 (RFC 5322 §4.3)."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _offset(zone: bytes) -> timedelta:
    if zone[:1] in (b"+", b"-"):
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        return -offset if zone[:1] == b"-" else offset
    return timedelta(hours=_ZONES.get(zone.lower(), 0))
