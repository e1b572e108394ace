"""What follows from an outcome."""

from datetime import timedelta

import pytest

from transport.dsn.report import Action
from transport.queue.outcomes import Outcome, Result
from transport.queue.schedule import RetrySchedule
from transport.queue.verdicts import Case, Verdict, judge

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def verdict(
    result: Result,
    *,
    notify: str = "",
    reverse_path: str = "a@b.test",
    age: timedelta = timedelta(),
    delay_notified: bool = False,
    passes_dsn: bool = False,
    may_hurry: bool = False,
    is_local: bool = False,
) -> Verdict:
    outcome = Outcome(result, "4.0.0", "", passes_dsn=passes_dsn, may_hurry=may_hurry)
    case = Case(outcome, 0, age, notify, reverse_path, delay_notified, is_local)
    return judge(case, RetrySchedule(), 0.5)


@pytest.mark.parametrize(
    ("notify", "reverse_path", "report"),
    [
        ("", "a@b.test", Action.FAILED),
        ("FAILURE", "a@b.test", Action.FAILED),
        ("SUCCESS,DELAY", "a@b.test", None),
        ("NEVER", "a@b.test", None),
        ("", "", None),
        ("FAILURE", "", None),
    ],
)
def test_a_failure_is_reported_to_who_wants_it(
    notify: str, reverse_path: str, report: Action | None
) -> None:
    found = verdict(Result.PERMANENT, notify=notify, reverse_path=reverse_path)
    assert (found.state, found.report) == ("failed", report)


@pytest.mark.parametrize(
    ("notify", "passes_dsn", "is_local", "report"),
    [
        ("", False, False, None),
        ("SUCCESS", False, False, Action.RELAYED),
        ("SUCCESS", True, False, None),
        ("SUCCESS", False, True, Action.DELIVERED),
    ],
)
def test_success_is_reported_unless_the_peer_will(
    notify: str, passes_dsn: bool, is_local: bool, report: Action | None
) -> None:
    found = verdict(Result.DELIVERED, notify=notify, passes_dsn=passes_dsn, is_local=is_local)
    assert (found.state, found.report) == ("delivered", report)


@pytest.mark.parametrize(
    ("age", "notify", "delay_notified", "report"),
    [
        (HOUR, "", False, None),
        (5 * HOUR, "", False, Action.DELAYED),
        (5 * HOUR, "", True, None),
        (5 * HOUR, "FAILURE", False, None),
        (5 * HOUR, "DELAY", False, Action.DELAYED),
    ],
)
def test_a_delay_is_reported_once_after_hours(
    age: timedelta, notify: str, delay_notified: bool, report: Action | None
) -> None:
    found = verdict(Result.TEMPORARY, age=age, notify=notify, delay_notified=delay_notified)
    assert (found.state, found.report) == ("waiting", report)


def test_after_five_days_it_is_given_up() -> None:
    found = verdict(Result.TEMPORARY, age=5 * DAY)
    assert (found.state, found.report, found.outcome.status) == ("failed", Action.FAILED, "4.4.7")


def test_the_rest_of_a_transaction_follows_at_once() -> None:
    assert verdict(Result.TEMPORARY, may_hurry=True).delay == timedelta()
    assert verdict(Result.TEMPORARY, may_hurry=True, age=5 * DAY).state == "failed"
