"""What failures cost."""

import pytest

from accounts.throttle import (
    LONGEST_WAIT,
    Attempt,
    Failures,
    is_shared_source,
    throttled_source,
    wait_seconds,
)


@pytest.mark.parametrize(
    ("failures", "wait"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (9, 16), (60, LONGEST_WAIT), (10**9, LONGEST_WAIT)],
)
def test_the_wait_doubles_after_the_free_failures(failures: int, wait: int) -> None:
    assert wait_seconds(failures, free=5) == wait


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("console", "console"),
    ],
)
def test_one_ipv6_network_is_one_source(address: str, source: str) -> None:
    assert throttled_source(address) == source


@pytest.mark.parametrize(
    ("source", "is_shared"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("192.0.2.7", False),
        ("console", True),
        ("2001:db8::/64", False),
    ],
)
def test_this_machine_is_many_users(source: str, is_shared: bool) -> None:
    assert is_shared_source(source) is is_shared


def test_ipv6_loopback_is_shared() -> None:
    assert is_shared_source(throttled_source("::1"))


def test_a_failure_that_is_counted_meanwhile_costs_no_wait_of_its_own() -> None:
    later = Failures(count=1, age=-0.02)
    assert Attempt("ann@example.com", "192.0.2.1", later, later, later).refusal() is None
