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
JUDGES = ("rspamd", "rspamc", "redis-server")
JUDGING_PACKAGES = ("rspamd", "redis-server")
PROGRAMS = ("postfix", "dovecot", "/usr/lib/dovecot/lmtp", "/usr/lib/dovecot/imap", "openssl")


@dataclass(frozen=True, slots=True)
class Peer:
    """Its ports, and the pid files of its root processes. `sink` takes whatever is sent to other domains."""

    smtp: int
    submission: int
    imaps: int
    sink: int
    folder: Path
    judges: bool = False

    @property
    def pids(self) -> str:
        """For the driver's --server-pids: all of it."""
        pids = f"{self.folder}/postfix/spool/pid/master.pid,{self.imap_pids}"
        if self.judges:
            pids += f",{self.folder}/run/rspamd.pid,{self.folder}/run/redis.pid"
        return pids

    @property
    def imap_pids(self) -> str:
        return f"{self.folder}/dovecot/run/master.pid"


def why_not(*, smtp: bool = True, judges: bool = False) -> str:
    """One line that says what is missing, or "" when the peer can run; `smtp=False`: Dovecot alone; `judges`: with rspamd."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [
        program
        for program in (*PROGRAMS[0 if smtp else 1 :], *(JUDGES if judges else ()))
        if not shutil.which(program, path=path)
    ]
    if missing:
        packages = " ".join((*PACKAGES, *(JUDGING_PACKAGES if judges else ())))
        return f"{', '.join(missing)} not found: apt-get install -y {packages}"
    if os.geteuid() != 0:
        return "Postfix runs, and Dovecot changes users, only when root starts it"
    return ""


@contextlib.contextmanager
def running(
    *,
    smtp: bool = True,
    users: int = 20,
    dns_port: int = 0,
    taught: tuple[Path, Path] | None = None,
) -> Iterator[Peer]:
    """The peer, from its set-up to its end; `smtp=False`: Dovecot alone. Raises RuntimeError when a script fails.

    With the port of a DNS server rspamd judges what comes in, `taught` by folders of spam and of ham.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailsite-peer-"))
    folder.chmod(0o755)
    smtp_port, submission, imap, imaps, lmtp, sink, milter, control, redis = free_ports(
        ["127.0.0.1"], 9
    )
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
    if dns_port:
        environment |= {
            "DNS_PORT": str(dns_port),
            "RSPAMD_MILTER": str(milter),
            "RSPAMD_CTRL": str(control),
            "REDIS_PORT": str(redis),
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
        if dns_port:
            script("rspamd.sh", "setup")
            script("rspamd.sh", "start")
        if taught:
            script("rspamd.sh", "train", *map(str, taught))
        if smtp:
            script("postfix.sh", "setup")
            script("postfix.sh", "start")
        yield Peer(smtp_port, submission, imaps, sink, folder, judges=dns_port != 0)
    finally:
        if smtp:
            script("postfix.sh", "stop", check=False)
        script("dovecot.sh", "stop", check=False)
        if dns_port:
            script("rspamd.sh", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)
