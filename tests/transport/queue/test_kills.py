"""Processes that drain are killed at random moments, and next hops take long after the dot: nothing is lost or doubled."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.transport.queue.conftest import Queue, connect
from transport.processes import die_with_parent
from transport.queue.claim import claim

ROOT = Path(__file__).resolve().parents[3]
MESSAGES = 300
KILLS = 8
SECONDS = 90.0
DRAIN = """
import sys, time, django
django.setup()
from transport import tasks
from transport.queue import claim, drain, leases
claim.LEASE_SECONDS = leases.LEASE_SECONDS = 3.0
leases.RENEW_SECONDS, leases.FRESH_SECONDS, leases.MARGIN_SECONDS = 0.5, 0.3, 1.0
print("ready", flush=True)
while True:
    drain.drain(tasks.worker(), sys.argv[1])
    time.sleep(0.1)
"""


class Drains:
    """Processes that drain one next hop over and over, without a broker."""

    def __init__(self, queue: Queue, folder: Path) -> None:
        self._hop = queue.hop
        self._environment = os.environ | {
            "CELERY_BROKER_URL": f"redis+socket://{folder}/nobody.sock",
            "DNS_NAMESERVERS": f"127.0.0.1:{queue.dns.port}",
            "OUTBOUND_SMTP_PORT": str(queue.peer.port),
            "MAIL_HOSTNAME": "us.test",
            "DATA_DIR": str(folder),
        }
        self.running = [self._start() for _ in range(3)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", DRAIN, self._hop],
            cwd=ROOT,
            env=self._environment,
            preexec_fn=partial(die_with_parent, os.getpid()),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_ready(self) -> None:
        for process in self.running:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"

    def kill(self, number: int, *, starts_anew: bool) -> None:
        process = self.running[number]
        process.kill()
        process.communicate()
        if starts_anew:
            self.running[number] = self._start()


@pytest.mark.fault
def test_three_processes_killed_at_random_lose_nothing_and_double_at_most_one_a_kill(
    queue: Queue, tmp_path: Path
) -> None:
    sent = [queue.enqueue(f"u{number}") for number in range(MESSAGES)]
    ids = [one.queue_id for one in sent]
    chance = random.Random()
    drains = Drains(queue, tmp_path)
    try:
        drains.wait_until_ready()
        for kill in range(KILLS):
            goal = len(queue.peer.messages) + chance.randint(1, MESSAGES // KILLS // 2)
            queue.peer.wait_for_messages(goal, SECONDS)
            time.sleep(chance.random() * 0.01)  # any byte of the dialogue
            drains.kill(kill % 3, starts_anew=True)
        deadline = time.monotonic() + SECONDS
        while (count := _undelivered(queue, ids)) > 0:
            assert time.monotonic() < deadline, f"{count} are not delivered"
            time.sleep(0.1)
    finally:
        for number in range(3):
            drains.kill(number, starts_anew=False)
    arrived = Counter(path for message in queue.peer.messages for path in message.forward_paths)
    assert set(arrived) == {f"u{number}@{queue.hop}" for number in range(MESSAGES)}
    assert arrived.total() <= MESSAGES + KILLS


def _undelivered(queue: Queue, ids: list[int]) -> int:
    row = queue.database.execute(
        "SELECT count(*) FROM transport_queuedrecipient WHERE message_id = ANY(%s) AND state <> 'delivered'",
        [ids],
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_next_hop_that_takes_three_leases_after_the_dot_gets_no_double(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("claim", "leases"):
        monkeypatch.setattr(f"transport.queue.{module}.LEASE_SECONDS", 0.8)
    monkeypatch.setattr("transport.queue.leases.RENEW_SECONDS", 0.1)
    monkeypatch.setattr("transport.queue.leases.FRESH_SECONDS", 0.05)
    monkeypatch.setattr("transport.queue.leases.MARGIN_SECONDS", 0.2)
    gate = queue.peer.hold(".")
    enqueued = queue.enqueue()
    thread = threading.Thread(target=queue.drain)
    thread.start()
    queue.peer.wait_for_stage(".")
    until = time.monotonic() + 3 * 0.8
    with connect() as other:
        while time.monotonic() < until:
            assert claim(other, queue.hop) is None
            time.sleep(0.02)
    gate.set()
    thread.join()
    assert len(queue.peer.messages) == 1
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
