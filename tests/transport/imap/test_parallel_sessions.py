"""Sessions of two processes that change one folder at the same time, and lose their connections in between: in the end
each knows what a fresh SELECT says (RFC 9051 §5.5, RFC 7162 §3.2, §6)."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.transport.imap.believer import Believer
from tests.transport.imap.conftest import Connect
from tests.transport.imap.running import RunningServer
from tests.transport.imap.test_sessions import MODES

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
ROUNDS = int(os.environ.get("IMAP_ROUNDS", "60"))
COMMANDS = (
    b"NOOP",
    b"APPEND INBOX {%d+}\r\n%b" % (len(MESSAGE), MESSAGE),
    b"APPEND INBOX {%d+}\r\n%b" % (len(MESSAGE), MESSAGE),
    b"UID STORE %s +FLAGS.SILENT (\\Flagged)",
    b"UID STORE %s -FLAGS (\\Flagged \\Seen)",
    b"UID STORE %s FLAGS (\\Deleted)",
    b"UID STORE 1:* +FLAGS.SILENT (todo)",
    b"UID FETCH %s (BODY[TEXT])",
    b"UID FETCH 1:* (FLAGS)",
    b"UID COPY %s INBOX",
    b"UID MOVE %s Archive",
    b"EXPUNGE",
    b"UID EXPUNGE %s",
    b"IDLE",
    b"lost",
)


def live(client: Believer, seed: int) -> None:
    """Random commands. What `.SILENT` hides is not known any more; what is lost on the way comes back."""
    chance = random.Random(seed)
    for _ in range(ROUNDS):
        command = chance.choice(COMMANDS)
        if b"%s" in command:
            if not client.uids:
                continue
            command = command.replace(b"%s", b"%d" % chance.choice(client.uids))
        if b".SILENT" in command:
            for message in client.messages:
                message.flags = None
        if command == b"lost":
            come_back(client, chance)
        elif command == b"IDLE":
            client.dialogue.send(b"i IDLE\r\n")
            client.dialogue.send(b"DONE\r\n")
            client.hear(b"IDLE", client.dialogue.until(b"i"))
            client.learn()
        else:
            client.do(command)


def come_back(client: Believer, chance: random.Random) -> None:
    """From a connection that breaks, perhaps with a command done whose answer the client never heard."""
    if chance.random() < 0.5:
        client.dialogue.command(b"UID STORE 1:* +FLAGS (\\Seen)")
    client.reconnect()
    if client.qresync:
        client.resynchronise(b"INBOX")
    else:
        client.select(b"INBOX")


@pytest.mark.parametrize("seed", range(int(os.environ.get("IMAP_SEEDS", "2"))))
def test_all_agree_in_the_end(connect: Connect, other_imap: RunningServer, seed: int) -> None:
    first = connect()
    for _ in range(20):
        first.append("INBOX", MESSAGE)
    modes = [(b"QRESYNC",), *MODES[seed % 2 :: 2]]
    servers = (connect, lambda: connect(other_imap))
    clients = [Believer(servers[n % 2], mode) for n, mode in enumerate(modes)]
    for client in clients:
        client.select(b"INBOX")
    with ThreadPoolExecutor(len(clients)) as threads:
        for done in [threads.submit(live, c, 100 * seed + n) for n, c in enumerate(clients)]:
            done.result()
    for client in clients:
        client.do(b"NOOP")
    fresh = Believer(connect, ())
    fresh.select(b"INBOX")
    for client in clients:
        assert client.uids == fresh.uids, client.modes
        assert len(client.messages) == len(fresh.messages)
        for mine, true in zip(client.messages, fresh.messages, strict=True):
            assert mine.flags in (None, true.flags), (client.modes, mine, true)
        known = client.messages
        client.reconnect()
        if client.qresync:
            client.resynchronise(b"INBOX")
            assert [m.uid for m in client.messages] == fresh.uids, (client.modes, known)
            for mine, true in zip(client.messages, fresh.messages, strict=True):
                assert mine.flags in (None, true.flags), (client.modes, mine, true)
        client.dialogue.close()
