"""When a delivery is tried again."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.queue.schedule import RetrySchedule

SCHEDULE = RetrySchedule()


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 5), (2, 15), (3, 30), (4, 60), (5, 120), (6, 240), (50, 240)]
)
def test_the_delays_grow_and_then_stay(failures: int, minutes: int) -> None:
    assert SCHEDULE.next_delay(failures, timedelta(), 0.5) == timedelta(minutes=minutes)


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_chance_spreads_a_delay_by_a_tenth_either_way(failures: int, jitter: float) -> None:
    middle = SCHEDULE.next_delay(failures, timedelta(), 0.5)
    delay = SCHEDULE.next_delay(failures, timedelta(), jitter)
    assert middle is not None
    assert delay is not None
    assert middle * 0.9 <= delay <= middle * 1.1


def test_an_attempt_is_made_when_the_sender_is_to_be_warned() -> None:
    late = SCHEDULE.warn_after - timedelta(minutes=10)
    assert SCHEDULE.next_delay(6, late, 0.5) == timedelta(minutes=10)
    assert SCHEDULE.next_delay(7, SCHEDULE.warn_after, 0.5) == timedelta(hours=4)


def test_the_last_attempt_is_made_when_the_lifetime_ends() -> None:
    almost = SCHEDULE.lifetime - timedelta(minutes=1)
    assert SCHEDULE.next_delay(40, almost, 0.5) == timedelta(minutes=1)
    assert SCHEDULE.next_delay(41, SCHEDULE.lifetime, 0.5) is None
