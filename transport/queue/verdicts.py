"""What follows from an outcome for a recipient in the queue: the new state, the next try, the report. Pure."""

from dataclasses import dataclass, replace
from datetime import timedelta

from transport.dsn.notify import is_wanted
from transport.dsn.report import Action
from transport.queue.outcomes import Outcome, Result
from transport.queue.schedule import RetrySchedule

WAITING, HELD, DELIVERED = "waiting", "held", "delivered"
FAILED, CANCELLED = "failed", "cancelled"


@dataclass(frozen=True, slots=True)
class Case:
    """A recipient that was tried. `failures` counts the failed attempts before; `reverse_path` "" is null."""

    outcome: Outcome
    failures: int
    age: timedelta
    notify: str
    reverse_path: str
    delay_notified: bool
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`delay` counts only while `state` is WAITING; `report` is the notification to send, if any."""

    state: str
    outcome: Outcome
    delay: timedelta = timedelta()
    report: Action | None = None


def judge(case: Case, schedule: RetrySchedule, jitter: float) -> Verdict:
    """The verdict on one recipient; `jitter` is a random number in [0, 1)."""
    outcome = case.outcome
    if outcome.result is Result.DELIVERED:
        action = Action.DELIVERED if case.is_local else Action.RELAYED
        return Verdict(
            DELIVERED, outcome, report=None if outcome.passes_dsn else _wanted(case, action)
        )
    if outcome.result is Result.PERMANENT:
        return Verdict(FAILED, outcome, report=_wanted(case, Action.FAILED))
    delay = schedule.next_delay(case.failures + 1, case.age, jitter)
    if delay is None:  # RFC 3463 §3.5: X.4.7, delivery time expired
        expired = replace(outcome, status="4.4.7")
        return Verdict(FAILED, expired, report=_wanted(case, Action.FAILED))
    if outcome.may_hurry:
        return Verdict(WAITING, outcome)
    is_late = schedule.is_late(case.age) and not case.delay_notified
    return Verdict(WAITING, outcome, delay, _wanted(case, Action.DELAYED) if is_late else None)


def _wanted(case: Case, action: Action) -> Action | None:
    return action if is_wanted(action, case.notify, case.reverse_path) else None
