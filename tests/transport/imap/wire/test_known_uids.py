"""Of which messages a client that comes back hears (RFC 7162 §3.2.5-6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.imap.wire.commands.registry import Tagged, parse_command
from transport.imap.wire.commands.types import Resync, Select
from transport.imap.wire.known_uids import (
    holds,
    intersection,
    known_spans,
    known_through,
    missing,
)
from transport.imap.wire.modes import Modes
from transport.imap.wire.sequence import spans_of

UIDS = st.sets(st.integers(1, 60))


def resync_of(parameters: bytes) -> Resync:
    parsed = parse_command(b"a SELECT x (QRESYNC (" + parameters + b"))", Modes({"QRESYNC"}))
    assert isinstance(parsed, Tagged), parsed
    assert isinstance(parsed.command, Select)
    assert parsed.command.resync is not None
    return parsed.command.resync


@given(UIDS, UIDS)
def test_intersection_and_missing_are_those_of_sets(one: set[int], two: set[int]) -> None:
    first, second = spans_of(sorted(one)), spans_of(sorted(two))
    assert intersection(first, second) == spans_of(sorted(one & two))
    assert missing(sorted(one), 61) == spans_of(sorted(set(range(1, 61)) - one))
    assert [n for n in range(70) if holds(first, n)] == sorted(one)


def test_the_rfcs_example_of_match_data() -> None:
    """§3.2.5.2: only UIDs divisible by three are there, and the last pair matches."""
    known = resync_of(
        b"67890007 90060115194045000 1:29997 (5000,7500,9000,9990:9999 15000,22500,27000,"
        b"29970,29973,29976,29979,29982,29985,29988,29991,29994,29997)"
    )
    assert known_through(known, range(3, 30010, 3)) == 29997
    assert known_spans(known, 30013) == ((1, 29997),)


@pytest.mark.parametrize(
    ("pairs", "through"),
    [
        (b"(4,12 8,24)", 8),  # the fourth is UID 8; the twelfth is not 24
        (b"(1:4294967295 1:4294967295)", 0),  # ends where the folder ends
        (b"(5000000 7)", 0),
    ],
)
def test_a_pair_that_matches_shows_what_is_known(pairs: bytes, through: int) -> None:
    known = resync_of(b"1 1 " + pairs)
    assert known_through(known, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 25]) == through
    assert known_spans(known, 30) == [(1, 29)]
