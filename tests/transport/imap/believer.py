"""A client that believes what it is told, and nothing else: what it takes a folder to hold (RFC 9051 §5.2, RFC 7162)."""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.transport.imap.conftest import Connect
from tests.transport.imap.dialogue import Dialogue

BY_NUMBER = (b"FETCH", b"STORE", b"SEARCH")
_FETCH = re.compile(rb"\* (\d+) (UID)?FETCH \((.*)\)\r\n", re.DOTALL)
_UID = re.compile(rb"UID (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_MODSEQ = re.compile(rb"MODSEQ \((\d+)\)")
_SET = re.compile(rb"\* VANISHED (\(EARLIER\) )?([0-9:,]+)\r\n")


@dataclass(slots=True)
class Message:
    """None: not told yet."""

    uid: int | None = None
    flags: frozenset[bytes] | None = None


@dataclass(slots=True)
class Believer:
    """`modes` are what it enables; it then reads numbers or UIDs alone."""

    connect: Connect
    modes: tuple[bytes, ...]
    folder: bytes = b""  # that is selected
    read_only: bool = False
    validity: int = 0
    uid_next: int = 0
    messages: list[Message] = field(default_factory=list)
    modseq: int = 0
    dialogue: Dialogue = field(init=False)
    log: deque[tuple[bytes, list[bytes]]] = field(default_factory=lambda: deque(maxlen=40))
    """What was said last, for the eye."""
    told: list[tuple[int, frozenset[bytes]]] = field(default_factory=list)
    """(uid, flags) of the last command's FETCH responses."""

    def __post_init__(self) -> None:
        self.reconnect()

    @property
    def uid_only(self) -> bool:
        return b"UIDONLY" in self.modes

    @property
    def qresync(self) -> bool:
        return b"QRESYNC" in self.modes

    @property
    def uids(self) -> list[int]:
        return [message.uid for message in self.messages if message.uid is not None]

    def reconnect(self) -> None:
        """Without a word of farewell."""
        if hasattr(self, "dialogue"):
            self.dialogue.close()
        self.dialogue = self.connect()
        self.folder = b""
        if self.modes:
            answer = self.dialogue.command(b"ENABLE " + b" ".join(self.modes))
            assert answer[0] == b"* ENABLED " + b" ".join(self.modes) + b"\r\n"

    def select(self, folder: bytes, *, read_only: bool = False) -> None:
        """And learn everything."""
        self._open(folder, b"", read_only=read_only)
        self.learn()

    def resynchronise(self, folder: bytes) -> None:
        """Come back with what is known (RFC 7162 §3.2.5): what the server tells must make it whole."""
        known = {m.uid: m for m in self.messages if m.uid is not None}
        since = b" (QRESYNC (%d %d))" % (self.validity, self.modseq)
        validity = self.validity
        heard = self._open(folder, since, read_only=False)
        if validity != self.validity:
            return self.learn()
        count = len(self.messages)
        told: dict[int, Message] = {}
        for response in heard:
            if gone := _SET.match(response):
                assert gone[1], response
                for uid in expand(gone[2]):
                    known.pop(uid, None)
            elif found := _FETCH.match(response):
                message = _message(found, uid_only=self.uid_only)
                assert message.uid is not None
                told[message.uid] = message
        known |= told
        self.messages = [known[uid] for uid in sorted(known)]
        assert len(self.messages) == count, (self.uids, heard, self.log)

    def _open(self, folder: bytes, parameters: bytes, *, read_only: bool) -> list[bytes]:
        self.messages, self.modseq = [], 0
        verb = b"EXAMINE " if read_only else b"SELECT "
        heard = self.dialogue.command(verb + folder + parameters)
        assert b" OK " in heard[-1], heard
        self.folder, self.read_only = folder, read_only
        whole = b"".join(heard)
        start = whole.rfind(b"[CLOSED]") + 1
        self.messages = [Message() for _ in range(_number(rb"\* (\d+) EXISTS", whole[start:]))]
        self.validity = _number(rb"UIDVALIDITY (\d+)", whole[start:])
        self.uid_next = _number(rb"UIDNEXT (\d+)", whole[start:])
        self.modseq = _number(rb"HIGHESTMODSEQ (\d+)", whole[start:])
        assert (b" RECENT\r\n" in whole) != (b"IMAP4rev2" in self.modes)
        return heard

    def learn(self) -> None:
        """Ask for what EXISTS left open, in a way that lets no EXPUNGE through where numbers are used."""
        while unknown := [n for n, known in enumerate(self.messages, 1) if known.uid is None]:
            if self.uid_only:
                self.do(b"UID FETCH %d:* (FLAGS)" % (max(self.uids, default=0) + 1), learns=False)
            else:
                self.do(b"FETCH %d:%d (UID FLAGS)" % (unknown[0], unknown[-1]), learns=False)

    def do(self, command: bytes, *, learns: bool = True) -> list[bytes]:
        """Send a command, and believe the answer."""
        heard = self.dialogue.command(command)
        self.hear(command, heard)
        if learns and self.folder:
            self.learn()
        return heard

    def hear(self, command: bytes, responses: Iterable[bytes]) -> None:
        responses = list(responses)
        self.log.append((command, responses))
        self.told = []
        modseqs = [self.modseq]
        stated = 0
        for response in responses:
            assert b" BAD " not in response, (command, response)
            assert b"SERVERBUG" not in response, (command, response)
            if found := re.match(rb"\* (\d+) EXISTS", response):
                assert int(found[1]) > len(self.messages), (command, response)
                new = int(found[1]) - len(self.messages)
                self.messages += [Message() for _ in range(new)]
            elif found := re.match(rb"\* (\d+) EXPUNGE", response):
                assert not command.startswith(BY_NUMBER), (command, response)
                assert not self.qresync, response
                assert not self.uid_only, response
                del self.messages[int(found[1]) - 1]
            elif found := _SET.match(response):
                assert not found[1], response
                assert self.qresync or self.uid_only
                assert not command.startswith(BY_NUMBER), (command, response)
                for uid in expand(found[2]):
                    self._vanish(uid)
            elif found := _FETCH.match(response):
                modseqs.append(self._fetched(found))
            if code := re.search(rb"\[HIGHESTMODSEQ (\d+)\]", response):
                stated = int(code[1])
        self.modseq = stated or max(modseqs)  # RFC 7162 §6

    def _fetched(self, found: re.Match[bytes]) -> int:
        """Take a FETCH in; its modseq."""
        assert bool(found[2]) == self.uid_only, found[0]
        told = _message(found, uid_only=self.uid_only)
        number = int(found[1])
        message = self._of_uid(number) if self.uid_only else self.messages[number - 1]
        assert message.uid in (None, told.uid) or told.uid is None, (message, found[0])
        if told.uid is not None:
            message.uid = told.uid
        if told.flags is not None:
            message.flags = told.flags
            if message.uid is not None:
                self.told.append((message.uid, told.flags))
        modseq = _MODSEQ.search(found[3])
        return int(modseq[1]) if modseq else 0

    def _of_uid(self, uid: int) -> Message:
        for message in self.messages:
            if message.uid == uid:
                return message
        return next(message for message in self.messages if message.uid is None)

    def _vanish(self, uid: int) -> None:
        known = [message for message in self.messages if message.uid == uid]
        self.messages.remove(known[0] if known else self._of_uid(uid))


def _message(found: re.Match[bytes], *, uid_only: bool) -> Message:
    uid, flags = _UID.search(found[3]), _FLAGS.search(found[3])
    number = int(found[1]) if uid_only else int(uid[1]) if uid else None
    return Message(number, frozenset(flags[1].split()) if flags else None)


def _number(pattern: bytes, text: bytes) -> int:
    found = re.findall(pattern, text)
    assert found, (pattern, text)
    return int(found[-1])


def expand(numbers: bytes) -> list[int]:
    """1:3,5 → 1, 2, 3, 5"""
    found: list[int] = []
    for item in numbers.split(b","):
        low, _, high = item.partition(b":")
        found.extend(range(int(low), int(high or low) + 1))
    return found
