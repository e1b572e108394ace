"""Postfix with Dovecot (Maildir) from Debian's packages, as private instances below a folder of their own.

The scripts in `peers/` set them up with fsync on, TLS, and the logins u1 to u20@perf.test. Root is needed: Postfix
refuses to be run by anyone else.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.servers import free_ports

SCRIPTS = Path(__file__).resolve().parent / "peers"
PACKAGES = ("postfix", "dovecot-imapd", "dovecot-lmtpd", "openssl")
PROGRAMS = ("postfix", "dovecot", "/usr/lib/dovecot/lmtp", "/usr/lib/dovecot/imap", "openssl")


@dataclass(frozen=True, slots=True)
class Peer:
    """Its ports, and the pid files of its root processes. `sink` takes whatever is sent to other domains."""

    smtp: int
    submission: int
    imaps: int
    sink: int
    folder: Path

    @property
    def pids(self) -> str:
        """For the driver's --server-pids: all of it."""
        return f"{self.folder}/postfix/spool/pid/master.pid,{self.imap_pids}"

    @property
    def imap_pids(self) -> str:
        return f"{self.folder}/dovecot/run/master.pid"


def why_not(*, smtp: bool = True) -> str:
    """One line that says what is missing, or "" when the peer can run; `smtp=False`: Dovecot alone."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [
        program for program in PROGRAMS[0 if smtp else 1 :] if not shutil.which(program, path=path)
    ]
    if missing:
        return f"{', '.join(missing)} not found: apt-get install -y {' '.join(PACKAGES)}"
    if os.geteuid() != 0:
        return "Postfix runs, and Dovecot changes users, only when root starts it"
    return ""


@contextlib.contextmanager
def running(*, smtp: bool = True, users: int = 20) -> Iterator[Peer]:
    """The peer, from its set-up to its end; `smtp=False`: Dovecot alone. Raises CalledProcessError when a script fails."""
    folder = Path(tempfile.mkdtemp(prefix="mailsite-peer-"))
    folder.chmod(0o755)
    smtp_port, submission, imap, imaps, lmtp, sink = free_ports(["127.0.0.1"], 6)
    environment = os.environ | {
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
        "PERF": str(folder),
        "SMTP": str(smtp_port),
        "SUBMISSION": str(submission),
        "IMAP": str(imap),
        "IMAPS": str(imaps),
        "LMTP": str(lmtp),
        "SINK_PORT": str(sink),
        "NUSERS": str(users),
    }

    def script(name: str, *arguments: str, check: bool = True) -> None:
        with (folder / "scripts.log").open("ab") as log:
            done = subprocess.run(
                ["bash", str(SCRIPTS / name), *arguments],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60,
            )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{name} failed:\n{(folder / 'scripts.log').read_text()}")

    try:
        script("00-prepare.sh")
        script("dovecot.sh", "setup")
        script("dovecot.sh", "start")
        if smtp:
            script("postfix.sh", "setup")
            script("postfix.sh", "start")
        yield Peer(smtp_port, submission, imaps, sink, folder)
    finally:
        if smtp:
            script("postfix.sh", "stop", check=False)
        script("dovecot.sh", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)
