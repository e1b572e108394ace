"""How much of messages on their way in the sessions of one process hold: in all, and for one login.

Literals wait in memory until their command is whole. A small one always has room; a large one that finds none is refused
with [UNAVAILABLE] (the process) or [LIMIT] (the login) instead of `+`, or dropped as it comes, and the client tries
again later. What counts is what has come, not what was announced: nobody blocks others by announcing.
"""

from collections import Counter

from transport.imap.replies import Reply, no

SMALL = 256 * 1024
"""Octets that a session may always hold."""
TOTAL_MAXIMUM = 512 * 1024 * 1024
LOGIN_MAXIMUM = 128 * 1024 * 1024

NO_ROOM = no("Too much mail is coming in at the moment; try again later", b"UNAVAILABLE")
LOGIN_IS_FULL = no("Too many messages of this login are on their way; try again later", b"LIMIT")


class IncomingMemory:
    """The sum of what large commands hold. `holder` is a session's login, `longest` the largest message."""

    def __init__(
        self, longest: int, total: int = TOTAL_MAXIMUM, per_login: int = LOGIN_MAXIMUM
    ) -> None:
        self._total = max(total, 2 * longest)
        self._per_login = max(per_login, 2 * longest)
        self._held: Counter[object] = Counter()
        self.octets = 0

    def change(self, holder: object, before: int, now: int) -> None:
        """One session of the holder holds `now` octets, where it held `before`."""
        self.octets += now - before
        self._held[holder] += now - before
        if self._held[holder] <= 0:
            del self._held[holder]

    def refusal(self, holder: object, more: int = 0) -> Reply | None:
        """Why `more` octets have no room; None when they have."""
        if self.octets + more > self._total:
            return NO_ROOM
        if self._held[holder] + more > self._per_login:
            return LOGIN_IS_FULL
        return None


class Account:
    """One session's part of it."""

    __slots__ = ("_held", "_memory", "holder")

    def __init__(self, memory: IncomingMemory, holder: object) -> None:
        self._memory = memory
        self.holder = holder
        self._held = 0

    def hold(self, octets: int) -> Reply | None:
        """Note how much the session holds now; the refusal when that is too much together."""
        octets = octets if octets > SMALL else 0
        if octets == self._held:
            return None
        has_grown = octets > self._held
        self._memory.change(self.holder, self._held, octets)
        self._held = octets
        return self._memory.refusal(self.holder) if has_grown else None

    def refusal_of(self, more: int) -> Reply | None:
        """Why a literal that is announced has no room; None when it has."""
        return self._memory.refusal(self.holder, more) if more > SMALL else None
