"""Real Celery workers over a real broker, killed in mid-delivery: nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import redis

from mailsite.embedded.valkey import Valkey, start_valkey
from tests.transport.queue.conftest import Queue
from tests.transport.queue.test_claim import end_leases
from transport.processes import die_with_parent

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 90.0  # a loaded machine starts a worker in half a minute


class Workers:
    """Starts workers and the broker; `send_task` speaks to the broker as a process of ours does."""

    def __init__(self, queue: Queue, folder: Path) -> None:
        self.folder = folder
        self.address = folder / "run" / "valkey.sock"
        self.broker: Valkey = start_valkey(folder, address=self.address)
        self.environment = os.environ | {
            "CELERY_BROKER_URL": f"redis+socket://{self.address}",
            "DNS_NAMESERVERS": f"127.0.0.1:{queue.dns.port}",
            "OUTBOUND_SMTP_PORT": str(queue.peer.port),
            "MAIL_HOSTNAME": "us.test",
            "DATA_DIR": str(folder),
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        """A worker that takes tasks."""
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "mailsite", "worker", "-P", "threads", "-c", "4",
             "--without-mingle", "--without-gossip", "-n", f"w{len(self.running)}@test"],
            cwd=ROOT,
            env=self.environment,
            preexec_fn=partial(die_with_parent, os.getpid()),
            stdout=(self.folder / "worker.log").open("ab"),
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.running.append(worker)
        return worker

    def call(self, code: str) -> None:
        """Run a line of Python as a process of Mailsite's own, which publishes tasks."""
        program = f"import django; django.setup(); from transport import tasks; {code}"
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=self.environment, check=True, timeout=60
        )

    def wake(self, hop: str) -> None:
        self.call(f"tasks.publish_drains([{hop!r}])")

    def sweep(self) -> None:
        self.call("tasks.sweep.delay()")

    def waiting_tasks(self) -> int:
        with redis.Redis(unix_socket_path=str(self.address)) as client:
            return int(client.llen("celery"))  # type: ignore[arg-type]

    def restart_broker(self) -> None:
        self.broker.kill()
        self.broker = start_valkey(self.folder, address=self.address)

    def stop(self) -> None:
        for worker in self.running:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
        self.broker.kill()


@pytest.fixture
def workers(queue: Queue) -> Iterator[Workers]:
    folder = Path(tempfile.mkdtemp(prefix="ms"))
    folder.chmod(0o755)
    workers = Workers(queue, folder)
    try:
        yield workers
    finally:
        workers.stop()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for_state(queue: Queue, enqueued: object, state: str) -> None:
    deadline = time.monotonic() + SECONDS
    while {row["state"] for row in queue.rows(enqueued)} != {state}:  # type: ignore[arg-type]
        assert time.monotonic() < deadline, queue.rows(enqueued)  # type: ignore[arg-type]
        time.sleep(0.05)


def test_a_message_of_a_worker_killed_in_mid_data_is_taken_up_by_another(
    queue: Queue, workers: Workers
) -> None:
    gate = queue.peer.hold("BODY")
    enqueued = queue.enqueue("ann", "bob")
    first = workers.start()
    workers.wake(queue.hop)
    queue.peer.wait_for_stage("BODY", timeout=SECONDS)
    first.send_signal(signal.SIGKILL)
    first.wait()
    gate.set()
    assert {row["state"] for row in queue.rows(enqueued)} == {"waiting"}
    end_leases(queue.database, queue.hop)  # half a minute passes
    workers.start()
    workers.sweep()
    wait_for_state(queue, enqueued, "delivered")
    assert len(queue.peer.messages) <= 2  # one more at most: the content had been sent


def test_a_broker_that_loses_everything_loses_no_message(queue: Queue, workers: Workers) -> None:
    enqueued = queue.enqueue()
    workers.wake(queue.hop)
    assert workers.waiting_tasks() == 1
    workers.restart_broker()
    assert workers.waiting_tasks() == 0
    workers.start()
    workers.sweep()
    wait_for_state(queue, enqueued, "delivered")
    assert len(queue.peer.messages) == 1


def test_a_wake_up_without_a_broker_fails_soon_and_only_for_its_thread(
    queue: Queue, workers: Workers
) -> None:
    workers.broker.kill()
    workers.call(
        "import time; from transport.queue import wakeups; start = time.monotonic();"
        f"wakeups.wake([{queue.hop!r}]); assert time.monotonic() - start < 0.5"
    )


def test_wake_ups_go_on_when_the_broker_is_back(queue: Queue, workers: Workers) -> None:
    workers.broker.kill()
    code = (
        "import django, time; django.setup(); from transport.queue import wakeups\n"
        f"while True: wakeups.wake([{queue.hop!r}]); print('woken', flush=True); time.sleep(0.1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=workers.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=partial(die_with_parent, os.getpid()),
    ) as process:
        assert process.stdout is not None
        for _ in range(10):  # a second of wakes that reach nobody
            assert process.stdout.readline() == b"woken\n"
        workers.broker = start_valkey(workers.folder, address=workers.address)
        deadline = time.monotonic() + SECONDS
        while not workers.waiting_tasks():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.kill()


@pytest.mark.fault
def test_three_workers_killed_at_random_deliver_all(queue: Queue, workers: Workers) -> None:
    sent = [queue.enqueue(f"u{number}") for number in range(40)]
    gate = queue.peer.hold(".")
    for _ in range(3):
        workers.start()
    for _ in range(4):
        workers.wake(queue.hop)
    queue.peer.wait_for_stage(".", 2, timeout=SECONDS)
    for worker in workers.running[:2]:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    gate.set()
    workers.start()
    deadline = time.monotonic() + SECONDS
    while any(row["state"] != "delivered" for one in sent for row in queue.rows(one)):
        assert time.monotonic() < deadline
        expire_orphans(queue)
        workers.sweep()
    arrived = [path for message in queue.peer.messages for path in message.forward_paths]
    assert set(arrived) == {f"u{number}@{queue.hop}" for number in range(40)}
    assert len(arrived) <= 40 + 4  # a double for each delivery that hung at its final dot


def expire_orphans(queue: Queue) -> None:
    """Let the leases end that no living worker renews: their last renewal was seconds ago."""
    queue.database.execute(
        "UPDATE transport_queuedrecipient SET lease_until = now() - interval '1 s'"
        " WHERE next_hop = %s AND lease_until < now() + interval '20 s'",
        [queue.hop],
    )
