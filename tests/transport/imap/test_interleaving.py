"""Any interleaving of sessions on one folder (RFC 9051 §5.5, §7.5.1): each client's count and flags, kept from untagged
responses alone, are those of a fresh SELECT."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transport.imap.conftest import Connect
from tests.transport.imap.dialogue import Dialogue

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
BY_NUMBER = (b"FETCH", b"STORE", b"SEARCH")

COMMANDS = st.sampled_from(
    [
        b"NOOP",
        b"EXPUNGE",
        b"FETCH %d (FLAGS)",
        b"FETCH 1:* (UID FLAGS)",
        b"FETCH %d (RFC822.SIZE)",
        b"FETCH %d BODY[TEXT]",
        b"UID FETCH 1:* (FLAGS)",
        b"STORE %d +FLAGS (\\Deleted)",
        b"STORE %d -FLAGS.SILENT (\\Deleted)",
        b"STORE 1:* +FLAGS.SILENT (\\Flagged)",
        b"STORE %d FLAGS (todo)",
        b"UID STORE 1:* -FLAGS (\\Flagged)",
        b"SEARCH UNDELETED",
        b"UID SEARCH DELETED",
        b"COPY %d %f",
        b"MOVE %d Trash",
        b"APPEND",
    ]
)


class Client:
    """A client that believes what it is told, and checks that it may be told."""

    def __init__(self, dialogue: Dialogue, folder: bytes) -> None:
        self.dialogue = dialogue
        self.folder = folder
        self.flags: list[set[bytes] | None] = []  # None: not told yet
        self.hear(b"SELECT", dialogue.command(b"SELECT " + folder))
        self.hear(b"", dialogue.command(b"FETCH 1:* FLAGS"))

    def do(self, command: bytes, pick: int) -> None:
        if command == b"APPEND":
            command = b"APPEND %b {%d+}\r\n%b" % (self.folder, len(MESSAGE), MESSAGE)
        if b"%d" in command:
            if not self.flags:
                return
            number = pick % len(self.flags) + 1
            command = command.replace(b"%d", b"%d" % number)
            known = self.flags[number - 1]
            if b".SILENT" in command and known is not None:
                known.discard(b"\\Deleted")
        elif b"+FLAGS.SILENT" in command:
            for known in self.flags:
                if known is not None:
                    known.add(b"\\Flagged")
        self.hear(command, self.dialogue.command(command.replace(b"%f", self.folder)))

    def hear(self, command: bytes, responses: list[bytes]) -> None:
        for response in responses:
            if match := re.match(rb"\* (\d+) EXISTS", response):
                assert int(match[1]) > len(self.flags) or command == b"SELECT"
                self.flags += [None] * (int(match[1]) - len(self.flags))
            elif match := re.match(rb"\* (\d+) EXPUNGE", response):
                assert not command.startswith(BY_NUMBER)
                del self.flags[int(match[1]) - 1]
            elif match := re.match(rb"\* (\d+) FETCH .*?FLAGS \((.*?)\)", response, re.DOTALL):
                self.flags[int(match[1]) - 1] = set(match[2].split())
            assert b" BAD " not in response, (command, response)
            assert b"SERVERBUG" not in response, (command, response)


@given(
    st.lists(st.tuples(st.integers(0, 2), COMMANDS, st.integers(0, 9)), min_size=5, max_size=40),
    st.integers(0, 4),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_view_equals_a_fresh_select(
    connect: Connect, steps: list[tuple[int, bytes, int]], count: int
) -> None:
    first = connect()
    folder = b"F%d" % id(steps)
    first.command(b"CREATE " + folder)
    for _ in range(count):
        first.append(folder.decode(), MESSAGE)
    clients = [Client(dialogue, folder) for dialogue in (first, connect(), connect())]
    for who, command, pick in steps:
        clients[who].do(command, pick)
    for client in clients:
        client.hear(b"NOOP", client.dialogue.command(b"NOOP"))
    fresh = Client(connect(), folder)
    for client in clients:
        # A new message's flags are not told with its EXISTS.
        filled = [
            f if mine is None else mine for mine, f in zip(client.flags, fresh.flags, strict=True)
        ]
        assert filled == fresh.flags
        client.dialogue.command(b"UNSELECT")
    clients[0].dialogue.command(b"DELETE " + folder)
    for client in (*clients, fresh):
        client.dialogue.close()
