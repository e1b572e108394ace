"""date, currentdate and index (RFC 5260)."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import errors_of, header, is_true

DATED = header(
    "Received: from a by b; Tue, 07 Jul 2009 12:00:00 +0200",
    "Received: from c by d; Mon, 06 Jul 2009 23:30:00 -0500",
    "Date: Mon, 06 Jul 2009 23:30:10 -0500",
    "X-A: first",
    "X-A: second",
    "X-A: third",
    "To: a@example.com",
    "To: b@example.com, c@example.com",
)
REQUIRED = ("date", "index", "relational", "comparator-i;ascii-numeric")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("year", "2009"), ("month", "07"), ("day", "06"), ("date", "2009-07-06"), ("julian", "55018"),
        ("hour", "23"), ("minute", "30"), ("second", "10"), ("time", "23:30:10"),
        ("iso8601", "2009-07-06T23:30:10-05:00"), ("std11", "Mon, 06 Jul 2009 23:30:10 -0500"),
        ("zone", "-0500"), ("weekday", "1"), ("WeekDay", "1"),
    ],
)  # fmt: skip
def test_parts_in_the_zone_of_the_field(part: str, value: str) -> None:
    assert is_true(f'date :originalzone "date" "{part}" "{value}"', DATED, require=REQUIRED)


@pytest.mark.parametrize(
    ("test", "value"),
    [
        ('date :zone "+0200" "date" "iso8601"', "2009-07-07T06:30:10+02:00"),
        ('date :zone "+0000" "date" "iso8601"', "2009-07-07T04:30:10Z"),
        ('date :zone "-0000" "date" "zone"', "+0000"),
        ('date :zone "-0330" "date" "zone"', "-0330"),
        ('date :zone "+0200" "date" "weekday"', "2"),
        ('date "date" "iso8601"', "2009-07-07T05:30:10+01:00"),
        ('date "date" "zone"', "+0100"),
        ('date :originalzone "received" "iso8601"', "2009-07-07T12:00:00+02:00"),
        ('date :index 2 :originalzone "received" "iso8601"', "2009-07-06T23:30:00-05:00"),
        ('date :index 1 :last :originalzone "received" "date"', "2009-07-06"),
        ('currentdate "iso8601"', "2026-03-04T05:06:07+01:00"),
        ('currentdate :zone "+0000" "hour"', "04"),
        ('currentdate "weekday"', "3"),
        ('date :count "eq" :comparator "i;ascii-numeric" "received" "year"', "1"),
        ('date :count "eq" :comparator "i;ascii-numeric" "x-none" "year"', "0"),
        ('currentdate :count "eq" :comparator "i;ascii-numeric" "year"', "1"),
        ('date :value "ge" :originalzone "date" "hour"', "09"),
    ],
)
def test_zones_and_fields(test: str, value: str) -> None:
    here = timezone(timedelta(hours=1))
    host = MemoryHost(time=datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=here))
    assert is_true(f'{test} "{value}"', DATED, require=REQUIRED, host=host)


@pytest.mark.parametrize(
    "value",
    [
        "", "no date", "Mon, 32 Jan 2009 00:00:00 +0000", "Sun, 29 Feb 2009 00:00:00 +0000",
        "Mon, 06 Jul 2009 24:00:00 +0000", "Mon, 06 Jul 2009 23:00:00 +9999", "; ;",
        "Mon, 06 Jul 0000 23:00:00 +0000",
    ],
)  # fmt: skip
def test_what_is_no_date_fits_nothing(value: str) -> None:
    message = header(f"Date: {value}")
    assert not is_true('date :contains "date" "year" ""', message, require=REQUIRED)
    assert not is_true('date :contains :zone "+1400" "date" "year" ""', message, require=REQUIRED)


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar(year: int) -> None:
    for day, zone in (("31 Dec", "-1200"), ("1 Jan", "+1200")):
        message = header(f"Date: {day} {year:04} 23:00:00 {zone}")
        for test in ('date "date"', 'date :zone "+2359" "date"', 'date :originalzone "date"'):
            is_true(f'{test} "std11" "x"', message, require=REQUIRED)


@pytest.mark.parametrize(
    ("test", "answer"),
    [
        ('header :index 1 "x-a" "first"', True),
        ('header :index 1 "x-a" "second"', False),
        ('header :index 2 :last "x-a" "second"', True),
        ('header :last :index 1 "x-a" "third"', True),
        ('header :index 4 :contains "x-a" ""', False),
        ('header :index 4 :last :contains "x-a" ""', False),
        ('header :index 4 ["x-a", "to"] "a@example.com"', True),
        ('header :index 1 ["x-none", "x-a"] "first"', True),
        ('header :index 1 :last ["to", "x-a"] "third"', True),
        ('address :index 2 "to" "c@example.com"', True),
        ('address :index 1 "to" "b@example.com"', False),
    ],
)
def test_index_counts_fields_in_the_order_of_the_names(test: str, answer: bool) -> None:
    assert is_true(test, DATED, require=("index",)) is answer


@pytest.mark.parametrize(
    ("test", "column"),
    [
        ('date "date" "decade" "x"', 16),
        ('date :zone "0100" "date" "year" "x"', 4),
        ('date :zone "+2400" "date" "year" "x"', 4),
        ('date :zone "+0100" :originalzone "date" "year" "x"', 23),
        ('header :last "x-a" "x"', 4),
        ('header :index 0 "x-a" "x"', 4),
        ('currentdate :index 1 "year" "x"', 16),
        ('currentdate :originalzone "year" "x"', 16),
    ],
)
def test_errors(test: str, column: int) -> None:
    script = f'require ["date", "index"];\nif {test} {{}}'
    assert [place[:2] for place in errors_of(script)] == [(2, column)]


def test_all_tests_of_a_script_are_at_one_time() -> None:
    class Clock(MemoryHost):
        def now(self) -> datetime:
            self.time += timedelta(hours=1)
            return self.time

    test = 'allof (currentdate "hour" "06", currentdate "hour" "06")'
    assert is_true(test, require=("date",), host=Clock())
