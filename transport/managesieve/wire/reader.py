"""Cuts a client's bytes into commands, without a socket (RFC 5804 §1.2, §4).

`feed` takes bytes in any chunks; `next_event` gives what has become complete, or None when more is needed. A command, or
a response within AUTHENTICATE, comes whole, its literals in place (`PUTSCRIPT "a" {5+}\\r\\nkeep;`), without the last
line's end. Memory is bounded by `LINE_LIMIT` and `literal_limit` together: a longer literal is dropped as it arrives.

A bare LF ends a line too. A literal without "+" is the server's alone: what follows it is not known, so nothing can.
"""

import re
from dataclasses import dataclass

LINE_LIMIT = 16_384
"""Octets of one command outside of its literals, and of the literals before the login: SASL needs as much."""
DROP_LIMIT = 64 * 1024 * 1024
"""The largest literal that is read and dropped, after the login."""

# literal-c2s = "{" number "+}" CRLF *OCTET
_LITERAL = re.compile(rb"\{([0-9]{1,20})(\+?)\}\r?$")
_LITERAL_END = 32  # no announcement of a literal is longer


@dataclass(frozen=True, slots=True)
class Line:
    """One command or response."""

    buffer: bytes


@dataclass(frozen=True, slots=True)
class TooBig:
    """The literals of a command were over the limit, or `give_up` was called: `had_room` is false. It is gone."""

    had_room: bool


@dataclass(frozen=True, slots=True)
class Hopeless:
    """Nothing sensible can follow: say BYE."""

    reason: str


Event = Line | TooBig | Hopeless


class CommandReader:
    """The reading half of one connection."""

    def __init__(self) -> None:
        self.literal_limit = LINE_LIMIT
        self._buffer = bytearray()
        self._line_start = 0  # where the last line of the command begins: literals lie before it
        self._scanned = 0
        self._in_lines = 0  # octets of the command outside of its literals
        self._in_literals = 0
        self._literal_left = 0
        self._is_dropping = False
        self._had_room = True

    def __len__(self) -> int:
        """Octets held."""
        return len(self._buffer)

    @property
    def wants(self) -> int:
        """How many octets may be held before reading should pause: more while a literal is on its way."""
        return LINE_LIMIT + (0 if self._is_dropping else self._line_start + self._literal_left)

    @property
    def is_inside_command(self) -> bool:
        return bool(self._buffer) or self._is_dropping

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def give_up(self) -> None:
        """There is no room for the literals of this command: drop them, and what is still to come."""
        if self._line_start and not self._is_dropping:
            self._had_room = False
            self._drop(self._line_start)

    def next_event(self) -> Event | None:
        """What is complete, or None."""
        while True:
            if self._literal_left and not self._pass_literal():
                return None
            end = self._buffer.find(b"\n", self._scanned)
            line_end = len(self._buffer) if end < 0 else end + 1
            if self._in_lines + line_end - self._line_start > LINE_LIMIT:
                return Hopeless("The command is too long")
            if end < 0:
                self._scanned = line_end
                return None
            event = self._end_line(end)
            if event is not None:
                return event

    def _pass_literal(self) -> bool:
        """Whether the literal is behind us."""
        there = len(self._buffer) - self._line_start
        if self._is_dropping:
            gone = min(self._literal_left, there)
            del self._buffer[:gone]
            self._literal_left -= gone
            return not self._literal_left
        if there < self._literal_left:
            return False
        self._line_start += self._literal_left
        self._scanned = self._line_start
        self._literal_left = 0
        return True

    def _end_line(self, end: int) -> Event | None:
        """Take the line that ends at `end`; an event when that ends the command."""
        literal = _LITERAL.search(self._buffer, max(self._line_start, end - _LITERAL_END), end)
        if literal is None:
            return self._end_command(end)
        size, is_ours = int(literal[1]), bool(literal[2])
        del literal  # it sees the buffer, which will shrink
        if not is_ours:
            return Hopeless("A literal is announced as {n+}")
        if size > (DROP_LIMIT if self.literal_limit > LINE_LIMIT else LINE_LIMIT):
            return Hopeless("The literal is too big")
        self._in_lines += end + 1 - self._line_start
        self._in_literals += size
        self._line_start = self._scanned = end + 1
        self._literal_left = size
        if self._is_dropping or self._in_literals > self.literal_limit:
            self._drop(end + 1)
        return None

    def _drop(self, octets: int) -> None:
        self._is_dropping = True
        del self._buffer[:octets]
        self._line_start = self._scanned = 0

    def _end_command(self, end: int) -> Event:
        if self._is_dropping:
            event: Event = TooBig(self._had_room)
        else:
            stop = end - 1 if end and self._buffer[end - 1] == 0x0D else end
            with memoryview(self._buffer) as view:
                event = Line(bytes(view[:stop]))
        del self._buffer[: end + 1]
        self._line_start = self._scanned = 0
        self._in_lines = self._in_literals = 0
        self._is_dropping = False
        self._had_room = True
        return event
