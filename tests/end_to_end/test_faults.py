"""`kill -9` of each service under load: afterwards every message that got its 250 is there, once, and all is sound.

One double a kill is allowed at most, where the sender never saw its 250 and did not repeat the same transaction.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from routing.scripts.storage import activate_script, put_script
from tests.dns_server import DnsServer
from tests.end_to_end.load import Account, Load
from tests.end_to_end.servers import Server
from tests.smtp_peer import SmtpPeer

DOMAIN = "fault.test"
REMOTE = "sink@remote.test"
RECIPIENTS = [f"{name}@{DOMAIN}" for name in ("ann", "bob")]
FILTERED = RECIPIENTS[1]
SCRIPT = b"""require ["fileinto", "copy", "mailbox", "duplicate"];
if not duplicate :header "Subject" { fileinto :copy :create "Copies"; }
"""
OWNER = f"owner@{DOMAIN}"
ARRIVAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A server under test, and the server that its users write to."""

    server: Server
    peer: SmtpPeer


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    records = {
        "remote.test": {"MX": ["10 mx.remote.test."]},
        "mx.remote.test": {"A": ["127.0.0.1"]},
    }
    with (
        DnsServer(records) as dns,
        SmtpPeer() as peer,
        Server.start(
            "127.0.0.4", "mail.fault.test", dns=dns.address, outbound_port=peer.port
        ) as server,
    ):
        server.add_domain(DOMAIN)
        server.add_users(*RECIPIENTS, OWNER)
        add_script(server, FILTERED)
        yield Scene(server, peer)


def add_script(server: Server, address: str) -> None:
    """The script of a recipient, which must do with each message what it does once."""
    with psycopg.connect(f"host={server.data_dir / 'run'} user=mailsite dbname=mailsite") as db:
        row = db.execute(
            "SELECT m.id FROM accounts_mailbox m JOIN accounts_user u ON u.id = m.user_id"
            " WHERE u.username = %s",
            (address.partition("@")[0],),
        ).fetchone()
        assert row is not None
        put_script(db, row[0], "main", SCRIPT)
        activate_script(db, row[0], "main")


def parent_of(*words: str) -> Callable[[Server], list[int]]:
    """The oldest process whose command line holds one of the words."""
    return lambda server: server.pids_of(*words)[:1]


def child_of(*words: str) -> Callable[[Server], list[int]]:
    """The youngest such process."""
    return lambda server: server.pids_of(*words)[-1:]


SERVICES: dict[str, Callable[[Server], list[int]]] = {
    "an SMTP worker": child_of("runsmtp", "smtp"),
    "the SMTP service": parent_of("runsmtp", "smtp"),
    "an IMAP worker": child_of("runimap", "imap"),
    "the IMAP service": parent_of("runimap", "imap"),
    "the admin": parent_of("gunicorn"),
    "the Celery worker": parent_of("celeryd"),
    "beat": parent_of("celery beat"),
    "Valkey": parent_of("valkey"),
    "PostgreSQL": parent_of("postgres"),
    "a backend of PostgreSQL": child_of("postgres: mailsite"),
}


@pytest.mark.fault
@pytest.mark.parametrize("service", SERVICES)
def test_killing_a_service_under_load_loses_and_doubles_nothing(scene: Scene, service: str) -> None:
    with Load(scene.server, RECIPIENTS, REMOTE, OWNER) as load:
        load.wait_for_progress()
        victims = SERVICES[service](scene.server)
        assert victims, scene.server.pids()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        load.wait_for_progress()
    check(scene, load)


@pytest.mark.fault
def test_killing_the_supervisor_leaves_no_process_and_the_next_start_recovers(scene: Scene) -> None:
    server = scene.server
    with Load(server, RECIPIENTS, REMOTE, OWNER) as load:
        load.wait_for_progress()
        before = server.pids()
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        deadline = time.monotonic() + 20
        while left := [pid for pid in before if is_alive(pid)]:
            assert time.monotonic() < deadline, [before[pid] for pid in left]
            time.sleep(0.05)  # they are not our children: the kernel sends us no event
        server.run()
        load.wait_for_progress()
    check(scene, load)


@pytest.mark.fault
def test_durability_is_on_where_faults_are_tested(scene: Scene) -> None:
    run = scene.server.data_dir / "run"
    with psycopg.connect(f"host={run} user=mailsite dbname=mailsite") as db:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert db.execute(f"SHOW {name}").fetchone() == ("on",), name


def check(scene: Scene, load: Load) -> None:
    """Compare what was promised with what is there."""
    for account in (load.inbound, load.submitted, load.appended):
        assert not account.refused
    stored: Counter[str] = Counter()
    for address in RECIPIENTS:
        stored += subjects(scene.server, address, "INBOX")
    check_account(load.inbound, stored)
    copied = subjects(scene.server, FILTERED, "Copies")
    assert copied == Counter(set(subjects(scene.server, FILTERED, "INBOX")))
    check_account(load.appended, subjects(scene.server, OWNER, "Archive"))
    check_account(load.submitted, arrived(scene.peer, load.submitted))
    done = scene.server.manage("checkmail", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_account(account: Account, found: Counter[str]) -> None:
    missing = {name for name in account.promised if not found[name]}
    assert not missing, f"{len(missing)} promised messages are not there: {sorted(missing)[:5]}"
    doubles = {n: found[n] for n in account.promised | account.doubtful if found[n] > 1}
    assert sum(count - 1 for count in doubles.values()) <= 1, doubles


def subjects(server: Server, address: str, folder: str) -> Counter[str]:
    """How often each subject is in a folder."""
    with server.imap(address) as client:
        client.select_folder(folder, readonly=True)
        rows = client.fetch(client.search("ALL"), ["ENVELOPE"]) if client.search("ALL") else {}
        return Counter(row[b"ENVELOPE"].subject.decode() for row in rows.values())


def arrived(peer: SmtpPeer, account: Account) -> Counter[str]:
    """How often each subject came to the other server; waits until every promised one has."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        messages = list(peer.messages)
        found = Counter(
            line[9:].decode()
            for message in messages
            for line in message.content.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
            if line.startswith(b"Subject: ")
        )
        left = deadline - time.monotonic()
        if left <= 0 or all(found[name] for name in account.promised):
            return found
        try:
            peer.wait_for_messages(len(messages) + 1, left)
        except AssertionError:
            continue


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as status:
            return status.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
