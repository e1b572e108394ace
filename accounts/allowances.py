"""How much a login may still send, and the words for a limit that is reached. Pure.

RFC 5321 §4.3.2 leaves a refusal for policy to the server; 4.7.1 is RFC 3463's delivery that is not authorised, for now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LIMITS = ("messages_an_hour", "recipients_an_hour", "messages_a_day", "recipients_a_day")


@dataclass(frozen=True, slots=True)
class Full:
    """A limit that is reached, in words, and when it is free again."""

    limit: str
    until: datetime

    @property
    def reply(self) -> str:
        return (
            f"450 4.7.1 you may send {self.limit}: try again after {self.until:%Y-%m-%d %H:%M} UTC"
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a login may send: limits and counts in the order of LIMITS, and when its hour and its day end."""

    limits: tuple[int, ...]
    counts: tuple[int, ...]
    ends: tuple[datetime, datetime]

    def full(self, recipients: int, messages: int = 1) -> Full | None:
        """The limit that one more message to so many would pass; the day's before the hour's."""
        for number in (2, 3, 0, 1):
            more = recipients if number % 2 else messages
            if self.counts[number] + more > self.limits[number]:
                text = f"{'to ' * (number % 2)}{self.limits[number]} {LIMITS[number].replace('_', ' ')}"
                return Full(text, _next_minute(self.ends[number // 2]))
        return None


def _next_minute(moment: datetime) -> datetime:
    return (moment + timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)
