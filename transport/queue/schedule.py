"""When a delivery is tried again, and when it is given up (RFC 5321 §4.5.4.1). Pure: the age comes in."""

from dataclasses import dataclass
from datetime import timedelta

_MINUTES = (5, 15, 30, 60, 120, 240)


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """The delay after each failed attempt; the last one repeats until the message is `lifetime` old.

    `spread` is the part of a delay that is left to chance, so that a host that was down is not met by all of its
    messages at once. After `warn_after` the sender may be told of the delay (RFC 3461 §4.1, NOTIFY=DELAY).
    """

    delays: tuple[timedelta, ...] = tuple(timedelta(minutes=minutes) for minutes in _MINUTES)
    lifetime: timedelta = timedelta(days=5)
    warn_after: timedelta = timedelta(hours=4)
    spread: float = 0.2

    def next_delay(self, failures: int, age: timedelta, jitter: float) -> timedelta | None:
        """How long to wait after the `failures`th failure (from 1) of a message this old; None: give up.

        `jitter` is a random number in [0, 1). An attempt is made when the sender is to be warned, so that the warning
        is on time and true; the last one when the lifetime ends, not before.
        """
        if age >= self.lifetime:
            return None
        usual = self.delays[min(max(failures, 1), len(self.delays)) - 1]
        delay = usual * (1 - self.spread / 2 + self.spread * jitter)
        if age < self.warn_after:
            delay = min(delay, self.warn_after - age)
        return min(delay, self.lifetime - age)

    def is_late(self, age: timedelta) -> bool:
        """Whether the sender should hear that the message has not got through yet."""
        return age >= self.warn_after


DEFAULT_SCHEDULE = RetrySchedule()
