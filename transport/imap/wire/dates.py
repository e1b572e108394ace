"""IMAP's dates (RFC 9051 §9 `date`, `date-time`), pure. Month names are English whatever the locale."""

import re
from datetime import date, datetime, timedelta, timezone

MONTHS = (
    b"Jan",
    b"Feb",
    b"Mar",
    b"Apr",
    b"May",
    b"Jun",
    b"Jul",
    b"Aug",
    b"Sep",
    b"Oct",
    b"Nov",
    b"Dec",
)
_BY_NAME = {name.lower(): number for number, name in enumerate(MONTHS, 1)}

# date-text = date-day "-" date-month "-" date-year
_DATE = re.compile(rb"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")
# date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
_DATE_TIME = re.compile(
    rb"[ ]?([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4}) "
    rb"([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-])([0-9]{2})([0-9]{2})"
)


def parse_date(text: bytes) -> date | None:
    """`1-Feb-1994`, or None when it is none."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[3]), _BY_NAME.get(match[2].lower(), 0), int(match[1]))
    except ValueError:
        return None


def parse_date_time(text: bytes) -> datetime | None:
    """`17-Jul-1996 02:44:25 -0700` (without its quotes), or None when it is none."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        when = datetime(
            int(year),
            _BY_NAME.get(month.lower(), 0),
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),  # a leap second has no datetime
            tzinfo=timezone(-offset if sign == b"-" else offset),
        )
        when.astimezone(timezone.utc)  # noqa: UP017 - must not overflow at the ends of the calendar
    except (ValueError, OverflowError):
        return None
    return when


def format_date_time(when: datetime) -> bytes:
    """The quoted form, in UTC: `"17-Jul-1996 09:44:25 +0000"`."""
    return b'"%02d-%b-%04d %02d:%02d:%02d +0000"' % (
        when.day,
        MONTHS[when.month - 1],
        when.year,
        when.hour,
        when.minute,
        when.second,
    )
