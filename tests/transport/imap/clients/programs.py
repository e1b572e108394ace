"""Runs the mail clients that people use, each with a home of its own."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

# Each program with its Debian package.
PACKAGES = {
    "curl": "curl",
    "fetchmail": "fetchmail",
    "getmail": "getmail6",
    "imapfilter": "imapfilter",
    "mbsync": "isync",
    "neomutt": "neomutt",
    "node": "nodejs",
    "offlineimap": "offlineimap3",
    "script": "bsdutils",
}
CLIENT_SECONDS = 120  # a few seconds on a quiet machine


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where a program is missing, and name its package."""
    missing = [PACKAGES[program] for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"apt-get install {' '.join(missing)}")


def run(*command: str, home: Path, text: str = "", **environment: str) -> str:
    """A client's output; an AssertionError with what it complained of when it failed."""
    done = subprocess.run(
        command,
        input=text,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "xterm"}
        | environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=CLIENT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, (
        command,
        done.returncode,
        done.stdout[-3000:],
        done.stderr[-3000:],
    )
    return done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder of mail on disk, as clients keep it."""

    path: Path

    def files(self) -> dict[str, Path]:
        """Each message's file by its subject."""
        return {
            _subject(path): path for kind in ("new", "cur") for path in (self.path / kind).iterdir()
        }

    def flags(self) -> dict[str, str]:
        """Each message's flags, as Maildir writes them, by its subject."""
        return {
            subject: "".join(sorted(path.name.partition(":2,")[2]))
            for subject, path in self.files().items()
        }

    def mark(self, subject: str, flags: str) -> None:
        """Give a message these flags, in place of those that it has."""
        path = self.files()[subject]
        path.rename(self.path / "cur" / f"{path.name.partition(':2,')[0]}:2,{flags}")

    def add(self, subject: str) -> None:
        """A new message."""
        (self.path / "new" / f"1.{subject.encode().hex()}.here").write_bytes(
            message(subject).replace(b"\r\n", b"\n")
        )


def message(subject: str, *, body: str = "body", sender: str = "ann@example.org") -> bytes:
    """A message as it stands on the wire."""
    return (
        f"From: Ann <{sender}>\r\nTo: bob@example.net\r\nSubject: {subject}\r\n"
        f"Date: Mon, 6 May 2024 07:08:09 +0000\r\nMessage-ID: <{subject.encode().hex()}@example.org>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()


def _subject(path: Path) -> str:
    for line in path.read_text("utf-8").splitlines():
        if line.lower().startswith("subject:"):
            return line.partition(":")[2].strip()
    raise AssertionError(f"no subject in {path}")
