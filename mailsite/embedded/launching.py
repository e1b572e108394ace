"""How an embedded service is started: as an unprivileged user, alone on its folder, and never as an orphan."""

import fcntl
import os
import pwd
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from transport.processes import die_with_parent

LOCK_SECONDS = 15  # how long what a killed supervisor left may take to end
LONGEST_SOCKET_PATH = 107  # sockaddr_un.sun_path without its NUL
UNPRIVILEGED_USERS = ("mailsite", "postgres", "nobody")  # the first that exists


class EmbeddedFailure(Exception):
    """An embedded service cannot run; the text is one clear line for the operator."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who an embedded service runs as: a user of this system, `mapped` into a user namespace, or ourselves."""

    user: pwd.struct_passwd | None
    is_mapped: bool = False

    def own(self, path: Path) -> None:
        """Give a folder that we made to the account that will write in it."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def arguments(self, command: Sequence[object]) -> dict[str, Any]:
        """Arguments of subprocess for running `command` as this account."""
        arguments: dict[str, Any] = {"args": [str(part) for part in command]}
        if self.is_mapped:
            mapping = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
            arguments["args"] = mapping + arguments["args"]
        if self.user is not None:
            arguments |= {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return arguments


def account_for(folder: Path, program: Path) -> Account:
    """Who may run `program` on `folder`: we ourselves unless we are root, which PostgreSQL refuses to be.

    Root becomes an unprivileged user where that one reaches both paths, else nobody in a user namespace of its own.
    """
    if os.geteuid() != 0:
        return Account(None)
    if folder.exists():  # it was decided by the first start
        owner = folder.stat().st_uid
        return Account(pwd.getpwuid(owner)) if owner else Account(None, is_mapped=True)
    for name in UNPRIVILEGED_USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        reached = _is_reachable(folder.parent, user) and _is_reachable(program, user)
        return Account(user) if reached else Account(None, is_mapped=True)
    return Account(None, is_mapped=True)


def _is_reachable(path: Path, user: pwd.struct_passwd) -> bool:
    for part in (path, *path.parents):
        status = part.stat()
        if status.st_uid == user.pw_uid:
            may_pass = status.st_mode & stat.S_IXUSR
        elif status.st_gid == user.pw_gid:
            may_pass = status.st_mode & stat.S_IXGRP
        else:
            may_pass = status.st_mode & stat.S_IXOTH
        if not may_pass:
            return False
    return True


def private_folder(path: Path, account: Account) -> Path:
    """Make the folder, 0700, owned by the account; a folder that exists is put right."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    account.own(path)
    return path


def check_socket_path(path: Path) -> None:
    """Refuse a data folder whose sockets would have too long a path for the kernel."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise EmbeddedFailure(f"DATA_DIR is too long a path for a unix socket: {path}")


def take_lock(path: Path, what: str, *, seconds: float = LOCK_SECONDS) -> IO[str]:
    """Hold `path` locked, waiting up to `seconds` for the remains of a killed start.

    The service inherits the open file, so the lock is free only when the service itself has ended as well.
    """
    lock = path.open("a+")
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > deadline:
                lock.close()
                raise EmbeddedFailure(f"{what} already runs on {path.parent}") from None
            time.sleep(0.05)


def launch(
    account: Account,
    command: Sequence[object],
    *,
    log: Path,
    end: signal.Signals,
    lock: IO[str],
) -> subprocess.Popen[bytes]:
    """Start a service that `end` is sent to when this process ends. Call it from the main thread."""
    with log.open("ab") as output:
        return subprocess.Popen(
            **account.arguments(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            pass_fds=[lock.fileno()],
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid(), end),
        )


def last_line(log: Path) -> str:
    """What the service said last, for the one line that reports its failure."""
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it wrote no log"
