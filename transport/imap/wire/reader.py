"""Cuts a client's bytes into commands, without a socket (RFC 9051 §2.2, §4.3; LITERAL+: RFC 7888).

`feed` takes bytes in any chunks; `next_event` gives what has become complete, or None when more is needed. A command
comes whole, its literals in place (`A1 LOGIN {4}\\r\\nfred secret`), without the last line's end. What is too long is
dropped as it arrives, so that memory stays bounded by `LINE_LIMIT` and the literal limit together.

A bare LF ends a line too: scripts send it, and nothing hangs on it, since literals are counted.
"""

import re
from dataclasses import dataclass

LINE_LIMIT = 65_536
"""The bytes of one command outside of APPEND's literals."""
LITERAL_LIMIT = 65_536
"""The literals of one command outside of APPEND."""
DROP_LIMIT = 1_048_576
"""How much of an over-long line is dropped before the connection is given up."""
LITERAL_DROP_LIMIT = 4 * 1024**3
"""The largest non-synchronising literal that is read and dropped."""

# literal = "{" number64 ["+"] "}" CRLF; literal8 has "~" before it
_LITERAL = re.compile(rb"\{([0-9]{1,20})(\+?)\}\r?$")
_APPEND = re.compile(rb"[^ ]+ +(?:APPEND|(?:UID +)?REPLACE) ", re.IGNORECASE)
_TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]{1,128}(?= )')
_LITERAL_END = 32  # no announcement of a literal is longer


@dataclass(frozen=True, slots=True)
class Request:
    """One command."""

    buffer: bytes


@dataclass(frozen=True, slots=True)
class LiteralWanted:
    """The client waits for `+`."""


@dataclass(frozen=True, slots=True)
class TooBig:
    """A literal over the limit; the command is gone. `tag` is b"" when there was none."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class TooLong:
    """A command line over the limit; it is gone."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class NoRoom:
    """`give_up` was called within this command; it is gone."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class Hopeless:
    """Nothing sensible can follow: say BYE."""

    reason: str


Event = Request | LiteralWanted | TooBig | TooLong | NoRoom | Hopeless


class CommandReader:
    """The reading half of one connection."""

    def __init__(self, append_limit: int = 0) -> None:
        """`append_limit`: the largest literal of an APPEND; 0 before the login."""
        self.append_limit = append_limit
        self.received = 0
        """Octets so far."""
        self._buffer = bytearray()
        self._line_start = 0  # where the last line of the command begins: literals lie before it
        self._scanned = 0
        self._in_lines = 0  # bytes of the command outside of literals
        self._literal_left = 0
        self._refusal: TooBig | TooLong | NoRoom | None = None
        self._dropped = 0

    def __len__(self) -> int:
        """Bytes held."""
        return len(self._buffer)

    @property
    def wants(self) -> int:
        """How many bytes may be held before reading should pause: more while a literal is on its way."""
        return LINE_LIMIT + (0 if self._refusal else self._line_start + self._literal_left)

    @property
    def is_inside_command(self) -> bool:
        """Whether a command has begun and not ended."""
        return bool(self._buffer) or self._refusal is not None

    @property
    def literal_size(self) -> int:
        """Octets of the literal that is announced or on its way."""
        return self._literal_left

    def feed(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data

    def give_up(self) -> None:
        """There is no room for the literals of this command: drop them, and what is still to come."""
        if self._line_start and self._refusal is None:
            self._refuse(NoRoom(self._tag()))

    def abandon(self) -> bytes:
        """Forget the command whose literal is announced, since it will not be asked for; its tag."""
        tag = self._tag()
        del self._buffer[: self._line_start]
        self._begin_command()
        return tag

    def next_event(self) -> Event | None:
        """What is complete, or None."""
        while True:
            if self._literal_left and not self._pass_literal():
                return None
            end = self._buffer.find(b"\n", self._scanned)
            if end < 0:
                return self._wait_for_line()
            event = self._end_line(end)
            if event is not None:
                return event

    def next_line(self) -> bytes | Hopeless | None:
        """One bare line, for what is no command: a SASL response, DONE."""
        end = self._buffer.find(b"\n")
        if end < 0:
            return Hopeless("line too long") if len(self._buffer) > LINE_LIMIT else None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._begin_command()
        return line.removesuffix(b"\r")

    def _pass_literal(self) -> bool:
        """Whether the literal is behind us."""
        if self._refusal:
            gone = min(self._literal_left, len(self._buffer))
            del self._buffer[:gone]
            self._literal_left -= gone
            return not self._literal_left
        if len(self._buffer) - self._line_start < self._literal_left:
            return False
        self._line_start += self._literal_left
        self._scanned = self._line_start
        self._literal_left = 0
        return True

    def _wait_for_line(self) -> Event | None:
        self._scanned = len(self._buffer)
        if self._in_lines + self._scanned - self._line_start > LINE_LIMIT and not self._refusal:
            self._refuse(TooLong(self._tag()))
        if self._refusal:
            # Only the end of the line can still matter: it may announce another literal.
            excess = len(self._buffer) - _LITERAL_END
            if excess > 0:
                del self._buffer[:excess]
                self._dropped += excess
            self._scanned = len(self._buffer)
            if self._dropped > DROP_LIMIT:
                return Hopeless("line too long")
        return None

    def _end_line(self, end: int) -> Event | None:
        """Take the line that ends at `end`; an event when that ends the command or wants an answer."""
        found = _LITERAL.search(self._buffer, max(self._line_start, end - _LITERAL_END), end)
        # Read now: the match sees the buffer as it is, and it will shrink.
        literal = (int(found[1]), not found[2]) if found else None
        self._in_lines += end + 1 - self._line_start
        if self._in_lines > LINE_LIMIT and not self._refusal:
            self._refuse(TooLong(self._tag()), end)
            end = self._buffer.find(b"\n")
        if literal is None:
            return self._end_command(end)
        size, waits = literal
        if not self._refusal and self._is_too_big(size, end + size):
            self._refuse(TooBig(self._tag()), end)
            end = self._buffer.find(b"\n")
        if self._refusal:
            if waits:
                return self._end_command(end)
            if size > LITERAL_DROP_LIMIT:
                return Hopeless("literal too big")
            del self._buffer[: end + 1]
            self._scanned = 0
            self._literal_left = size
            return None
        self._line_start = self._scanned = end + 1
        self._literal_left = size
        return LiteralWanted() if waits else None

    def _end_command(self, end: int) -> Event:
        refusal = self._refusal
        command = b"" if refusal else self._copy(end)
        del self._buffer[: end + 1]
        self._begin_command()
        return refusal or Request(command)

    def _copy(self, end: int) -> bytes:
        """The buffer up to a line's end, without its CR, in one copy: it may hold a large message."""
        if end and self._buffer[end - 1] == 0x0D:
            end -= 1
        with memoryview(self._buffer) as view:
            return bytes(view[:end])

    def _begin_command(self) -> None:
        self._line_start = self._scanned = self._in_lines = self._dropped = self._literal_left = 0
        self._refusal = None

    def _refuse(self, refusal: TooBig | TooLong | NoRoom, keep_from: int | None = None) -> None:
        """Give the command up: forget what was held of it, except its last line's end."""
        self._refusal = refusal
        if keep_from is not None:
            del self._buffer[:keep_from]
        elif self._line_start:
            del self._buffer[: self._line_start]
        self._line_start = 0
        self._scanned = 0

    def _is_too_big(self, size: int, held: int) -> bool:
        """Whether a literal of `size` may not come; `held` would be the whole command with it."""
        is_append = self.append_limit and _APPEND.match(self._buffer)
        limit = self.append_limit if is_append else LITERAL_LIMIT
        return size > limit or held > limit + LINE_LIMIT

    def _tag(self) -> bytes:
        match = _TAG.match(self._buffer)
        return match.group() if match else b""
