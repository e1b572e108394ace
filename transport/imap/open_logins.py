"""How many sessions one login has open in this process."""

from collections import Counter

SESSIONS_PER_LOGIN = 200
"""Thunderbird opens 5 and Outlook up to 20 a device; an office of thirty may share one login. Beyond it is a fault."""


class OpenLogins:
    """Counts them by account."""

    def __init__(self, maximum: int = SESSIONS_PER_LOGIN) -> None:
        self._maximum = maximum
        self._open: Counter[object] = Counter()

    def admit(self, account: object) -> bool:
        """Count one more, if there is room; `release` it at its end."""
        if self._open[account] >= self._maximum:
            return False
        self._open[account] += 1
        return True

    def release(self, account: object) -> None:
        self._open[account] -= 1
        if self._open[account] <= 0:
            del self._open[account]
