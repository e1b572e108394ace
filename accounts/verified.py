"""Remembers passwords that were right, for an hour, so that a client's many connections cost one hash.

What is kept is HMAC(key, account, stored hash, password): useless without the key, which no file holds, and void once the
password changes. It lies in memory that the workers of one listener share, since they are forked after it was made: what
one has hashed the others need not. No lock guards it: a digest that two write at once matches nothing, and costs
one more hash.
"""

import hashlib
import hmac
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator

REMEMBER_SECONDS = 60 * 60
BUCKETS = 8192
BUCKET_SIZE = 4  # entries
_ENTRY = struct.Struct("=d24s")
"""Until when, and the digest."""


class VerifiedCredentials:
    """The passwords that were right lately; of those that fall into one bucket, the latest few."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = os.urandom(32)
        self._clock = clock  # the system's, which is the same in every process
        self._entries = mmap.mmap(-1, BUCKETS * BUCKET_SIZE * _ENTRY.size)

    def holds(self, account_id: int, encoded: str, password: str) -> bool:
        """Whether the password was right for this stored hash within REMEMBER_SECONDS."""
        digest = self._digest(account_id, encoded, password)
        now = self._clock()
        return any(
            hmac.compare_digest(kept, digest) and now < until
            for _, until, kept in self._bucket(digest)
        )

    def remember(self, account_id: int, encoded: str, password: str) -> None:
        """The password was just found right."""
        digest = self._digest(account_id, encoded, password)
        bucket = list(self._bucket(digest))
        same = (offset for offset, _, kept in bucket if kept == digest)
        offset = next(same, min(bucket, key=lambda entry: entry[1])[0])
        _ENTRY.pack_into(self._entries, offset, self._clock() + REMEMBER_SECONDS, digest)

    def _bucket(self, digest: bytes) -> Iterator[tuple[int, float, bytes]]:
        start = int.from_bytes(digest[:4]) % BUCKETS * BUCKET_SIZE * _ENTRY.size
        for offset in range(start, start + BUCKET_SIZE * _ENTRY.size, _ENTRY.size):
            until, kept = _ENTRY.unpack_from(self._entries, offset)
            yield offset, until, kept

    def _digest(self, account_id: int, encoded: str, password: str) -> bytes:
        secret = password.encode("utf-8", "surrogateescape")
        text = b"%d\0%s\0%s" % (account_id, encoded.encode(), secret)
        return hmac.digest(self._key, text, hashlib.sha256)[:24]


VERIFIED = VerifiedCredentials()
