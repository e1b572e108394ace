"""What scripts have made of one message, for all its mailboxes: each version is held once, and all within a bound."""

from routing.sieve.message import Message

ROOM = 128 << 20
"""Octets of all versions of one message, which are in memory together until they are stored."""


class Versions:
    """Those of one message. The same edit in many mailboxes is one version."""

    def __init__(self) -> None:
        self._room = ROOM
        self._kept: dict[bytes, bytes] = {}

    def of(self, message: Message) -> bytes | None:
        """The octets of an edited message; None where there is no room for another version."""
        if message.size > self._room:
            return None
        content = message.content
        if content not in self._kept:
            self._kept[content] = content
            self._room -= len(content)
        return self._kept[content]
