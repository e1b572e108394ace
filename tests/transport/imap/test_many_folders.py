"""Ten thousand folders: LIST, LIST-STATUS and RENAME do not make anybody else wait."""

import threading
import time
from typing import Any

import psycopg
import pytest

from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue

FOLDERS = 10_000


@pytest.fixture
def many(account: Account, database: psycopg.Connection[Any]) -> None:
    """`tree`, a hundred below it, and a hundred below each."""
    database.execute(
        """
        INSERT INTO mail_folder (owner_id, name)
        SELECT %(owner)s, 'tree' UNION ALL
        SELECT %(owner)s, 'tree/' || a FROM generate_series(1, 100) a UNION ALL
        SELECT %(owner)s, 'tree/' || a || '/' || b || ' with a longer name'
        FROM generate_series(1, 100) a, generate_series(1, 99) b
        """,
        {"owner": account.owner},
    )
    database.execute("ANALYZE mail_folder")


class Neighbour:
    """Another session that asks for nothing much all the time, and notes how long it waits."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._stop = threading.Event()
        self.longest = 0.0
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            before = time.perf_counter()
            self._dialogue.command(b"NOOP")
            self.longest = max(self.longest, time.perf_counter() - before)

    def __enter__(self) -> "Neighbour":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


COMMANDS = (
    (b'LIST "" *', FOLDERS),
    (b'LIST "" * RETURN (STATUS (MESSAGES UNSEEN))', 2 * FOLDERS),
    (b'LIST (SUBSCRIBED) "" * RETURN (STATUS (MESSAGES UNSEEN))', 10),
    (b'LIST "" %', 7),
    (b'LIST "" (' + b" ".join(b"*%%%dx%%*" % number for number in range(50)) + b")", 0),
    (b"RENAME tree wood", 0),
    (b"RENAME wood INBOX/tree", 0),
)


def test_nobody_waits_for_ten_thousand_folders(many: None, connect: Connect) -> None:
    owner, neighbour = connect(), connect()
    for command, lines in COMMANDS:
        with Neighbour(neighbour) as other:
            before = time.perf_counter()
            answer = owner.command(command)
            took = time.perf_counter() - before
        assert b" OK " in answer[-1]
        assert len(answer) > lines
        # Under load all are slow; who had to wait for the whole command would have waited as long as it took.
        assert other.longest < 0.3 + took / 2, command
    assert len(owner.command(b'LIST "" INBOX/tree*')) > FOLDERS
