"""What passed between a client and a server, judged as a strict client would judge it.

Every response is legal by the grammar, and no response contradicts what the client was told before: RFC 9051 §7.4.1 (EXISTS
never shrinks), §7.5.1 (EXPUNGE within the folder, and never while a command that counts messages runs), §2.2.1 (one tagged
response for each command).
"""

import re
import zlib
from dataclasses import dataclass, field

from tests.transport.imap.grammar.responses import ResponseChecker

_LITERAL = re.compile(rb"\{([0-9]+)\+?\}\r?\n$")
_NUMBERED = re.compile(rb"\* ([0-9]+) (EXISTS|EXPUNGE|FETCH)\b")
_TAGGED = re.compile(rb"([^ *+]+) (OK|NO|BAD)\b")
_VANISHED = re.compile(rb"\* VANISHED ([0-9:,]+)\r\n")
COUNTING = frozenset((b"FETCH", b"STORE", b"SEARCH", b"SORT", b"THREAD"))
SELECTING = frozenset((b"SELECT", b"EXAMINE", b"CLOSE", b"UNSELECT"))


class Contradiction(AssertionError):
    """A response that does not fit what the server said before."""


class Lines:
    """Splits one direction into lines with their literals."""

    def __init__(self) -> None:
        self._bytes = b""
        self._inflate: zlib._Decompress | None = None

    def inflate(self) -> None:
        """All that follows is compressed (RFC 4978 §3)."""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._bytes = self._inflate.decompress(self._bytes)

    def feed(self, data: bytes) -> None:
        self._bytes += self._inflate.decompress(data) if self._inflate else data

    def next(self) -> bytes:
        """The next whole line, or nothing."""
        position = 0
        while end := self._bytes.find(b"\n", position) + 1:
            literal = _LITERAL.search(self._bytes[position:end])
            if literal is None:
                line, self._bytes = self._bytes[:end], self._bytes[end:]
                return line
            position = end + int(literal[1])
        return b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command and the tagged NO or BAD that it got."""

    command: bytes
    answer: bytes


@dataclass(slots=True)
class Conversation:
    """One connection; feed it what passes, in the order in which it passes."""

    events: list[tuple[str, bytes]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    _from_client: Lines = field(default_factory=Lines)
    _from_server: Lines = field(default_factory=Lines)
    _checker: ResponseChecker = field(default_factory=ResponseChecker)
    _running: dict[bytes, bytes] = field(default_factory=dict)
    _exists: int | None = None

    def client_said(self, data: bytes) -> None:
        self._from_client.feed(data)
        while line := self._from_client.next():
            self.events.append(("C", line))
            tag, _, command = line.rstrip(b"\r\n").partition(b" ")
            if command and _name(command).isalpha():  # not DONE, nor the lines of a SASL dialogue
                self._running[tag] = command
                if _name(command) in SELECTING:
                    self._exists = None

    def server_said(self, data: bytes) -> None:
        self._from_server.feed(data)
        while response := self._from_server.next():
            self.events.append(("S", response))
            self._checker.check(response)
            if numbered := _NUMBERED.match(response):
                self._count(int(numbered[1]), numbered[2])
            elif vanished := _VANISHED.match(response):
                self._vanish(vanished[1])
            elif tagged := _TAGGED.match(response):
                self._complete(tagged[1], response)

    def _count(self, number: int, what: bytes) -> None:
        if what == b"EXISTS":
            if self._exists is not None and number < self._exists:
                raise Contradiction(f"{number} EXISTS after {self._exists}: {self.tail()}")
            self._exists = number
            return
        if self._exists is not None and not 0 < number <= self._exists:
            raise Contradiction(f"{what!r} {number} of {self._exists}: {self.tail()}")
        if what == b"EXPUNGE":
            self._may_renumber()
            self._exists = None if self._exists is None else self._exists - 1

    def _vanish(self, uids: bytes) -> None:
        self._may_renumber()
        if self._exists is not None:
            ends = [uid_range.split(b":") for uid_range in uids.split(b",")]
            self._exists -= sum(int(end[-1]) - int(end[0]) + 1 for end in ends)

    def _may_renumber(self) -> None:
        counting = [command for command in self._running.values() if _name(command) in COUNTING]
        if counting and len(counting) == len(self._running):
            raise Contradiction(f"messages vanish while {counting} runs: {self.tail()}")

    def _complete(self, tag: bytes, response: bytes) -> None:
        command = self._running.pop(tag, None)
        if command is None:
            raise Contradiction(f"a tagged response to nothing: {self.tail()}")
        if response.split(b" ", 2)[1] != b"OK":
            self.refusals.append(Refusal(command, response))
        elif _name(command) == b"COMPRESS":
            self._from_client.inflate()
            self._from_server.inflate()

    def tail(self, count: int = 30) -> str:
        """The last lines of it."""
        return "\n".join(f"{who}: {line[:300]!r}" for who, line in self.events[-count:])


def _name(command: bytes) -> bytes:
    """The command's name; UID commands count no messages."""
    words = command.upper().split(b" ", 2)
    return words[0]
