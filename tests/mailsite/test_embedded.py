"""The launcher of PostgreSQL and Valkey: what it refuses, and that nothing survives its process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mailsite.configuration import ROOT
from mailsite.embedded import launching
from mailsite.embedded.launching import EmbeddedFailure
from mailsite.embedded.postgresql import start_postgresql
from mailsite.embedded.valkey import start_valkey

START_AND_DIE = """
import os, sys
from pathlib import Path
from mailsite.embedded.postgresql import start_postgresql
from mailsite.embedded.valkey import start_valkey
folder = Path(sys.argv[1])
postgresql = start_postgresql(folder, socket_folder=folder / "run")
valkey = start_valkey(folder, address=folder / "run" / "valkey.sock")
print(postgresql.process.pid, valkey.process.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that an unprivileged user reaches."""
    with TemporaryDirectory(prefix="mailsite-embedded-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_killed_launcher_leaves_nothing_and_the_next_one_recovers(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START_AND_DIE, str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL
    pids = [int(pid) for pid in done.stdout.split()]
    assert len(pids) == 2
    server = start_postgresql(folder, socket_folder=folder / "run")
    try:
        with server.connect() as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.info.server_version >= 180000
    finally:
        server.stop()
    deadline = time.monotonic() + 10
    while any(_is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_folder_of_another_major_version_is_refused_with_the_way_out(folder: Path) -> None:
    old = folder / "postgresql-17"
    old.mkdir()
    (old / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedFailure, match="pg_upgrade"):
        start_postgresql(folder, socket_folder=folder / "run")


def test_a_path_too_long_for_a_socket_is_refused(folder: Path) -> None:
    deep = folder / ("x" * 100)
    with pytest.raises(EmbeddedFailure, match="DATA_DIR is too long"):
        start_postgresql(deep, socket_folder=deep / "run")


def test_a_second_server_on_the_same_folder_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching.take_lock, "__kwdefaults__", {"seconds": 0})
    first = start_valkey(folder, address=folder / "run" / "valkey.sock")
    try:
        with pytest.raises(EmbeddedFailure, match="already runs"):
            start_valkey(folder, address=folder / "run" / "valkey.sock")
    finally:
        first.stop()
    assert first.has_ended()
    start_valkey(folder, address=folder / "run" / "valkey.sock").stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")
def test_root_runs_it_as_an_unprivileged_user(folder: Path) -> None:
    server = start_valkey(folder, address=folder / "run" / "valkey.sock")
    try:
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
    finally:
        server.stop()
