"""Keeps a filter that does not answer from being waited for by every message."""

FAILURES = 3  # one after the other


class Breaker:
    """Of one filter in one process. Times are seconds of a monotonic clock."""

    def __init__(self, retry_seconds: float) -> None:
        self._retry_seconds = retry_seconds
        self._failures = 0
        self._retry_at: float | None = None

    def may_ask(self, now: float) -> bool:
        """While it is thought dead one message in `retry_seconds` asks, and the others do not wait for it."""
        if self._retry_at is None:
            return True
        if now < self._retry_at:
            return False
        self._retry_at = now + self._retry_seconds
        return True

    def answered(self) -> None:
        self._failures = 0
        self._retry_at = None

    def failed(self, now: float, *, is_gone: bool) -> None:
        """`is_gone`: nobody listens, so there is no need for a second try."""
        self._failures += 1
        if is_gone or self._failures >= FAILURES:
            self._retry_at = now + self._retry_seconds
