"""Several sessions on the same folders, in any order, against a model (RFC 9051 §5.2, §5.5, §7.5.1; RFC 7162 §3.2).

What each client believes is held against the model after every NOOP, and what a QRESYNC client knew when it lost its
connection must become whole by what SELECT tells it. `IMAP_EXAMPLES=2000` makes a long run of it.
"""

import os
import re
from dataclasses import dataclass, field
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.transport.imap.believer import Believer, expand
from tests.transport.imap.conftest import Connect
from tests.transport.imap.running import RunningServer

EXAMPLES = int(os.environ.get("IMAP_EXAMPLES", "30"))
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
MODES = (
    (),
    (b"CONDSTORE",),
    (b"QRESYNC",),
    (b"IMAP4rev2",),
    (b"UIDONLY",),
    (b"QRESYNC", b"UIDONLY"),
    (b"IMAP4rev2", b"QRESYNC", b"UTF8=ACCEPT"),
)
FLAGS = (b"\\Deleted", b"\\Flagged", b"\\Seen", b"todo")
_names = count(1)

WHO = st.integers(0, 2)
PICK = st.integers(0, 7)
FLAG = st.sampled_from(FLAGS)
WHERE = st.integers(0, 1)


@dataclass(slots=True, eq=False)
class Folder:
    """What a folder holds: flags by UID."""

    name: bytes
    validity: int = 0
    uid_next: int = 1
    messages: dict[int, frozenset[bytes]] = field(default_factory=dict)
    is_there: bool = True

    def add(self, flags: frozenset[bytes] = frozenset()) -> int:
        self.messages[self.uid_next] = flags
        self.uid_next += 1
        return self.uid_next - 1


class Sessions(RuleBasedStateMachine):
    connects: tuple[Connect, Connect, Connect]

    def __init__(self) -> None:
        super().__init__()
        self.clients: list[Believer] = []
        self.places: list[Folder | None] = []
        self.folders: list[Folder] = []
        self.validities: set[int] = set()

    @initialize(modes=st.tuples(*[st.sampled_from(MODES)] * 3), filled=st.integers(0, 5))
    def begin(self, modes: tuple[tuple[bytes, ...], ...], filled: int) -> None:
        number = next(_names)
        for connect, mode in zip(self.connects, modes, strict=True):
            self.clients.append(Believer(connect, mode))
        self.places = [None, None, None]
        self.folders = [Folder(b"S%d-a" % number), Folder(b"S%d-b" % number)]
        for folder in self.folders:
            self.clients[0].do(b"CREATE " + folder.name)
        for _ in range(filled):
            self.append(0, 0)
        for who in range(3):
            self.select(who, 0, False)

    # What a client does; `who` is one that has a folder, or it does nothing

    def client(self, who: int) -> tuple[Believer, Folder] | None:
        """The client and its folder; one whose folder is gone hears BYE first."""
        client, folder = self.clients[who], self.places[who]
        if folder is None:
            return None
        if folder.is_there:
            return client, folder
        client.dialogue.send(b"gone NOOP\r\n")
        assert client.dialogue.response().startswith(b"* BYE ")
        assert client.dialogue.response() == b""
        client.reconnect()
        self.places[who] = None
        return None

    def do(self, who: int, command: bytes) -> list[bytes]:
        """And what it is told of flags is so."""
        client = self.clients[who]
        heard = client.do(command)
        folder = self.places[who]
        if folder is not None:
            for uid, flags in client.told:
                assert folder.messages.get(uid, flags) == flags, (command, uid)
        return heard

    @rule(who=WHO, where=WHERE, read_only=st.booleans())
    def select(self, who: int, where: int, read_only: bool) -> None:
        self.client(who)
        client, folder = self.clients[who], self.folders[where]
        client.select(folder.name, read_only=read_only)
        self.places[who] = folder
        self.opened(client, folder)

    def opened(self, client: Believer, folder: Folder) -> None:
        if not folder.validity:
            assert client.validity not in self.validities
            folder.validity = client.validity
            self.validities.add(client.validity)
        assert client.validity == folder.validity
        assert client.uid_next == folder.uid_next
        self.agree(client, folder)

    def agree(self, client: Believer, folder: Folder) -> None:
        assert client.uids == sorted(folder.messages)
        assert len(client.messages) == len(folder.messages)
        for message in client.messages:
            assert message.uid is not None
            assert message.flags in (None, folder.messages[message.uid])

    @rule(who=WHO)
    def noop(self, who: int) -> None:
        if found := self.client(who):
            self.do(who, b"NOOP")
            self.agree(*found)

    @rule(who=WHO, where=WHERE)
    def append(self, who: int, where: int) -> None:
        self.client(who)
        folder = self.folders[where]
        uid = folder.add()
        heard = self.do(who, b"APPEND %b {%d+}\r\n%b" % (folder.name, len(MESSAGE), MESSAGE))
        assert b" %d] " % uid in heard[-1]

    @rule(who=WHO, pick=PICK, by_uid=st.booleans(), sign=st.sampled_from((b"+", b"-", b"")),
          silent=st.booleans(), flag=FLAG)  # fmt: skip
    def store(
        self, who: int, pick: int, by_uid: bool, sign: bytes, silent: bool, flag: bytes
    ) -> None:
        found = self.client(who)
        if not found or not found[0].messages or found[0].read_only:
            return
        client, folder = found
        number = pick % len(client.messages) + 1
        message = client.messages[number - 1]
        assert message.uid is not None
        before = folder.messages.get(message.uid)
        if before is not None:
            after = {b"+": before | {flag}, b"-": before - {flag}, b"": frozenset({flag})}[sign]
            folder.messages[message.uid] = after
        if silent and message.flags is not None:
            known = message.flags
            message.flags = {b"+": known | {flag}, b"-": known - {flag}, b"": frozenset({flag})}[
                sign
            ]
        dot = b".SILENT" if silent else b""
        words = b"%bFLAGS%b (%b)" % (sign, dot, flag)
        if by_uid or client.uid_only:
            self.do(who, b"UID STORE %d %b" % (message.uid, words))
        else:
            self.do(who, b"STORE %d %b" % (number, words))
        if before is not None and not silent:
            assert message.flags == folder.messages[message.uid]

    @rule(who=WHO, pick=PICK, item=st.sampled_from((b"UID FLAGS", b"RFC822.SIZE UID", b"BODY[]")))
    def fetch(self, who: int, pick: int, item: bytes) -> None:
        found = self.client(who)
        if not found or not found[0].messages:
            return
        client, folder = found
        number = pick % len(client.messages) + 1
        uid = client.messages[number - 1].uid
        assert uid is not None
        if item == b"BODY[]" and uid in folder.messages and not client.read_only:
            folder.messages[uid] |= {b"\\Seen"}
        if client.uid_only:
            self.do(who, b"UID FETCH %d (%b)" % (uid, item))
        else:
            self.do(who, b"FETCH %d (%b)" % (number, item))

    @rule(who=WHO, by_uid=st.booleans(), flag=FLAG)
    def search(self, who: int, by_uid: bool, flag: bytes) -> None:
        if not (found := self.client(who)):
            return
        client, folder = found
        key = flag[1:].upper() if flag.startswith(b"\\") else b"KEYWORD todo"
        by_uid = by_uid or client.uid_only
        heard = b"".join(self.do(who, (b"UID " if by_uid else b"") + b"SEARCH " + key))
        if b"IMAP4rev2" in client.modes:
            numbers = re.search(rb"\* ESEARCH .*?(?: ALL ([0-9:,]+))?\r\n", heard)
            chosen = expand(numbers[1]) if numbers and numbers[1] else []
        else:
            words = re.search(rb"\* SEARCH([ 0-9]*)", heard)
            assert words
            chosen = [int(number) for number in words[1].split()]
        if not by_uid:
            chosen = [client.messages[number - 1].uid or 0 for number in chosen]
        assert chosen == sorted(u for u, flags in folder.messages.items() if flag in flags)

    @rule(who=WHO, pick=PICK)
    def expunge(self, who: int, pick: int) -> None:
        found = self.client(who)
        if not found or found[0].read_only:
            return
        client, folder = found
        deleted = {uid for uid, flags in folder.messages.items() if b"\\Deleted" in flags}
        command = b"EXPUNGE"
        if pick % 2 and client.uids:
            named = client.uids[: pick + 1]
            deleted &= set(named)
            command = b"UID EXPUNGE %b" % b",".join(b"%d" % uid for uid in named)
        for uid in deleted:
            del folder.messages[uid]
        self.do(who, command)
        assert not deleted & set(client.uids)

    @rule(who=WHO, pick=PICK, where=WHERE, moves=st.booleans())
    def copy(self, who: int, pick: int, where: int, moves: bool) -> None:
        found = self.client(who)
        if not found or not found[0].messages or (moves and found[0].read_only):
            return
        client, folder = found
        target = self.folders[where]
        if moves and target is folder:
            return
        number = pick % len(client.messages) + 1
        uid = client.messages[number - 1].uid
        assert uid is not None
        flags = folder.messages.get(uid)
        copied = target.add(flags) if flags is not None else 0
        if moves and flags is not None:
            del folder.messages[uid]
        verb = b"MOVE" if moves else b"COPY"
        if client.uid_only:
            heard = self.do(who, b"UID %b %d %b" % (verb, uid, target.name))
        else:
            heard = self.do(who, b"%b %d %b" % (verb, number, target.name))
        assert (b" %d %d] " % (uid, copied) in b"".join(heard)) == (flags is not None)

    @rule(who=WHO, other=WHO, pick=PICK, where=WHERE)
    def idle(self, who: int, other: int, pick: int, where: int) -> None:
        """While one idles another does something; what it hears before DONE is its own affair."""
        if who == other or not (found := self.client(who)):
            return
        client, _ = found
        client.dialogue.send(b"idle IDLE\r\n")
        assert client.dialogue.response() == b"+ idling\r\n"
        self.append(other, where)
        if self.places[other] is not None:
            self.store(other, pick, True, b"+", True, b"\\Deleted")
            self.expunge(other, pick)
        client.dialogue.send(b"DONE\r\n")
        client.hear(b"IDLE", client.dialogue.until(b"idle"))
        client.learn()

    @rule(who=WHO)
    def lose_the_connection(self, who: int) -> None:
        """And come back, with what was known or with nothing."""
        if not (found := self.client(who)):
            return
        client, folder = found
        client.reconnect()
        if client.qresync:
            client.resynchronise(folder.name)
        else:
            client.select(folder.name)
        self.opened(client, folder)

    @rule(who=WHO)
    def close(self, who: int) -> None:
        if not (found := self.client(who)):
            return
        client, folder = found
        if not client.read_only:
            gone = [uid for uid, flags in folder.messages.items() if b"\\Deleted" in flags]
            for uid in gone:
                del folder.messages[uid]
        client.folder = b""
        assert len(client.do(b"CLOSE")) == 1
        self.places[who] = None

    # Folders

    @rule(who=WHO, where=WHERE)
    def rename(self, who: int, where: int) -> None:
        """Whoever has it selected goes on."""
        self.client(who)
        folder = self.folders[where]
        new = folder.name + b"x"
        self.do(who, b"RENAME %b %b" % (folder.name, new))
        folder.name = new

    @rule(who=WHO, where=WHERE)
    @precondition(lambda self: sum(f.uid_next for f in self.folders) > 6)
    def delete_and_create(self, who: int, where: int) -> None:
        """The name is the same, the folder is not: UIDVALIDITY says so."""
        self.client(who)
        folder = self.folders[where]
        if self.places[who] is folder:
            self.clients[who].folder = b""
        heard = self.clients[who].dialogue.command(b"DELETE " + folder.name)
        assert b" OK " in heard[-1]
        if self.places[who] is folder:
            assert heard[0].startswith(b"* OK [CLOSED] ")
            self.places[who] = None
        folder.is_there = False
        self.folders[where] = Folder(folder.name)
        self.do(who, b"CREATE " + folder.name)

    def teardown(self) -> None:
        fresh = Believer(self.connects[0], ())
        try:
            for who in range(len(self.places)):
                self.noop(who)
            for folder in self.folders:
                fresh.select(folder.name)
                self.opened(fresh, folder)
                fresh.do(b"UNSELECT")
                fresh.do(b"DELETE " + folder.name)
        finally:
            for client in (fresh, *self.clients):
                client.dialogue.close()


def test_every_session_agrees_with_the_model(connect: Connect, other_imap: RunningServer) -> None:
    """Two of the clients are served by one process, the third by another."""

    class Here(Sessions):
        connects = (connect, connect, lambda: connect(other_imap))

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
