"""Remembers passwords that were right, for minutes, so that a client's many connections cost one hash.

What is kept is HMAC(process key, account, stored hash, password): useless outside of this process, and void
once the password changes.
"""

import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBER_SECONDS = 5 * 60
LONGEST = 20_000  # entries


class VerifiedCredentials:
    """The passwords that were right lately, oldest first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = os.urandom(32)
        self._clock = clock
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def holds(self, account_id: int, encoded: str, password: str) -> bool:
        """Whether the password was right for this stored hash within REMEMBER_SECONDS."""
        digest = self._digest(account_id, encoded, password)
        with self._lock:
            until = self._until.get(digest)
            if until is None:
                return False
            if until < self._clock():
                del self._until[digest]
                return False
            return True

    def remember(self, account_id: int, encoded: str, password: str) -> None:
        """The password was just found right."""
        digest = self._digest(account_id, encoded, password)
        with self._lock:
            self._until.pop(digest, None)
            self._until[digest] = self._clock() + REMEMBER_SECONDS
            if len(self._until) > LONGEST:
                self._until.popitem(last=False)

    def _digest(self, account_id: int, encoded: str, password: str) -> bytes:
        secret = password.encode("utf-8", "surrogateescape")
        text = b"%d\0%s\0%s" % (account_id, encoded.encode(), secret)
        return hmac.digest(self._key, text, hashlib.sha256)


VERIFIED = VerifiedCredentials()
