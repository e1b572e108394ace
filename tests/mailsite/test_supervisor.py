"""The supervisor with services of a few lines: back-off, the order of the stop, the last resort."""

import itertools
import os
import signal
import time
from pathlib import Path

from mailsite.supervisor import Running, Service, Supervisor, fork


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def run_in_child(supervisor: Supervisor) -> int:
    """A supervisor wants the main thread and the signals of a process of its own."""
    child = os.fork()
    if child:
        return child
    try:
        supervisor.run()
        os._exit(0)
    finally:
        os._exit(1)


def wait_for(path: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text() if path.exists() else "nothing"
        time.sleep(0.01)


def service(path: Path, name: str, stage: int, *, heeds: bool = True) -> Service:
    def main() -> None:
        def end(number: int, frame: object) -> None:
            write(path, f"{name} ends\n")
            os._exit(0)

        signal.signal(signal.SIGTERM, end if heeds else signal.SIG_IGN)
        write(path, f"{name} begins\n")
        while True:
            signal.pause()

    return Service(name, lambda: fork(name, main), stage, stop_seconds=20 if heeds else 0.2)


def test_stages_stop_one_after_the_other(tmp_path: Path) -> None:
    log = tmp_path / "log"
    services = [service(log, "database", 2), service(log, "worker", 1), service(log, "web", 0)]
    child = run_in_child(Supervisor(services))
    for name in ("database", "worker", "web"):
        wait_for(log, f"{name} begins\n")
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == 0
    assert log.read_text().split("\n")[3:6] == ["web ends", "worker ends", "database ends"]


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = run_in_child(Supervisor([service(log, "deaf", 0, heeds=False)]))
    wait_for(log, "deaf begins\n")
    os.kill(child, signal.SIGINT)
    assert os.waitpid(child, 0)[1] == 0
    assert "ends" not in log.read_text()


def test_what_dies_at_once_is_restarted_ever_more_slowly(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def main() -> None:
        write(log, f"{time.monotonic()}\n")

    child = run_in_child(Supervisor([Service("dying", lambda: fork("dying", main), 0, 1.0)]))
    deadline = time.monotonic() + 20
    while not log.exists() or len(log.read_text().split()) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == 0
    times = [float(line) for line in log.read_text().split()[:5]]
    waits = [later - sooner for sooner, later in itertools.pairwise(times)]
    for wait, least in zip(waits, (0.2, 0.4, 0.8, 1.6), strict=True):
        assert wait >= least * 0.95


def test_a_service_that_cannot_start_is_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    attempts = 0
    good = service(log, "late", 0)

    def start() -> Running:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise OSError("not yet")
        return good.start()

    child = run_in_child(Supervisor([Service("late", start, 0, 5.0)]))
    wait_for(log, "late begins\n")
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == 0


def test_children_die_with_the_supervisor(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    def main() -> None:
        write(pid_file, f"{os.getpid()}\n")
        while True:
            signal.pause()

    child = run_in_child(Supervisor([Service("lone", lambda: fork("lone", main), 0, 5.0)]))
    wait_for(pid_file, "\n")
    orphan = Path(f"/proc/{int(pid_file.read_text())}")
    assert orphan.exists()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 10
    while orphan.exists() and "\nState:\tZ" not in (orphan / "status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
