"""`make bench`: this server and Postfix with Dovecot, measured in turn by the same driver on the same machine.

    python tests/benchmarks/run.py [--rounds 3] [--only smtp-inbound,...] [--no-peer] [--write docs/performance.md]

Each round runs every job on ours and then on the peer; the table holds the medians. These machines are noisy: the
ratios and the CPU of the server's process tree (PostgreSQL and Valkey included) say more than the wall clock does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks import peer as peers  # noqa: E402
from tests.benchmarks.load import cpu_of  # noqa: E402
from tests.end_to_end.servers import Server  # noqa: E402

DRIVER = Path(__file__).resolve().parent / "load.py"
DOMAIN = "perf.test"
USERS = 20
SETTLE_SECONDS = 60.0
QUIET_CPU_SECONDS = 0.05
BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement: the driver's command, and the name of the rate in its answer."""

    name: str
    rate: str
    unit: str
    arguments: tuple[str, ...]
    port: str  # which of the target's ports
    is_imap_only: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A server under test."""

    name: str
    host: str
    ports: dict[str, int]
    pids: str
    imap_pids: str


JOBS = (
    # First, so that the logins by which the driver watches deliveries are remembered, as a busy server's are.
    Job("imap-login", "logins_per_s", "logins/s", ("--users", "u{11..20}@perf.test", "-n", "400"), "imaps", True),
    Job(
        "smtp-inbound", "delivered_per_s", "delivered/s",
        ("--purge", "--users", "u{11..20}@perf.test", "-n", "1000"), "smtp",
    ),
    Job("imap-append", "appends_per_s", "appends/s", ("--users", "u{11..18}@perf.test", "-n", "2000"), "imaps", True),
    Job(
        "smtp-submission", "msgs_per_s", "accepted/s",
        ("--user", "u1@perf.test", "--sender", "u1@perf.test", "--rcpt", "x@example.org", "-n", "400"),
        "submission",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer of the driver: operations a second, milliseconds of server CPU an operation."""

    rate: float
    cpu: float


def measure(job: Job, target: Target) -> Measured:
    """Run the driver once. Raises RuntimeError when it failed or any operation did."""
    command = [
        sys.executable, str(DRIVER), job.name,
        "--host", target.host, "--port", str(target.ports[job.port]),
        "--server-pids", target.imap_pids if job.is_imap_only else target.pids,
        "--label", target.name, *job.arguments,
    ]  # fmt: skip
    if job.port == "smtp":
        command += ["--imap-port", str(target.ports["imaps"])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{job.name} on {target.name}: {done.stderr[-800:]}")
    answer = json.loads(done.stdout)
    print(f"  {target.name:16} {done.stdout.strip()}", file=sys.stderr, flush=True)
    if answer.get("errors") or answer.get(job.rate) is None:
        raise RuntimeError(f"{job.name} on {target.name}: {answer.get('first_error') or answer}")
    return Measured(answer[job.rate], answer["server_cpu_ms_per_op"])


class HasProcesses(Protocol):
    """What can be waited for until it is quiet."""

    @property
    def pids(self) -> str: ...


def settle(target: HasProcesses) -> None:
    """Wait until the target has done what the job before left it to do (deliveries of what was submitted)."""
    deadline = time.monotonic() + SETTLE_SECONDS
    used = cpu_of(target.pids.split(","))
    while time.monotonic() < deadline:
        time.sleep(0.5)
        before, used = used, cpu_of(target.pids.split(","))
        if used - before < QUIET_CPU_SECONDS:
            return


@contextmanager
def ours(sink: int) -> Iterator[Target]:
    """A server of our own with the driver's users, made by commands; like the peer it hands mail for others to `sink`."""
    with Server.start("127.0.0.1", "mail.perf.test") as server:
        server.add_domain(DOMAIN)
        server.add_users(*(f"u{number}@{DOMAIN}" for number in range(1, USERS + 1)))
        if sink:
            server.manage("set_relay", f"127.0.0.1:{sink}")
        assert server.process is not None
        pid = str(server.process.pid)
        ports = {
            "smtp": server.ports.smtp,
            "submission": server.ports.submission,
            "imaps": server.ports.imaps,
        }
        yield Target("mailsite", "127.0.0.1", ports, pid, pid)


def as_target(peer: peers.Peer) -> Target:
    ports = {"smtp": peer.smtp, "submission": peer.submission, "imaps": peer.imaps}
    return Target("postfix+dovecot", "127.0.0.1", ports, peer.pids, peer.imap_pids)


def run(
    jobs: Sequence[Job], targets: Sequence[Target], rounds: int
) -> dict[tuple[str, str], list[Measured]]:
    """Every job on every target, in turn, `rounds` times; what failed is named on stderr and left out."""
    results: dict[tuple[str, str], list[Measured]] = {}
    for number in range(1, rounds + 1):
        for job in jobs:
            print(f"round {number} of {rounds}: {job.name}", file=sys.stderr, flush=True)
            for target in targets:
                settle(target)
                try:
                    measured = measure(job, target)
                except (RuntimeError, subprocess.TimeoutExpired, ValueError) as error:
                    print(f"  FAILED {error}", file=sys.stderr, flush=True)
                    continue
                results.setdefault((job.name, target.name), []).append(measured)
    return results


def table(jobs: Sequence[Job], results: dict[tuple[str, str], list[Measured]]) -> str:
    """The medians in Markdown, with ours as a ratio of the peer's."""
    lines = [
        "| Work | Mailsite | CPU ms | Postfix+Dovecot | CPU ms | rate, ours : peer | CPU, ours : peer |",
        "|---|---|---|---|---|---|---|",
    ]
    for job in jobs:
        own = _median(results.get((job.name, "mailsite")))
        other = _median(results.get((job.name, "postfix+dovecot")))
        rate = f"{own.rate / other.rate:.2f}" if own and other else "-"
        cpu = f"{own.cpu / other.cpu:.2f}" if own and other and other.cpu else "-"
        lines.append(
            f"| {job.name}, {job.unit} | {_cells(own)} | {_cells(other)} | {rate} | {cpu} |"
        )
    return "\n".join(lines)


def _median(measured: list[Measured] | None) -> Measured | None:
    if not measured:
        return None
    return Measured(
        statistics.median(m.rate for m in measured), statistics.median(m.cpu for m in measured)
    )


def _cells(measured: Measured | None) -> str:
    return f"{measured.rate:.0f} | {measured.cpu:.2f}" if measured else "- | -"


def write(path: Path, text: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the markers of the document."""
    document = path.read_text()
    head, rest = document.split(begin, 1)
    tail = rest.split(end, 1)[1]
    path.write_text(f"{head}{begin}\n{text}\n{end}{tail}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="names of jobs, with commas")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--no-ours", action="store_true")
    parser.add_argument("--write", type=Path, help="a document that holds the markers")
    arguments = parser.parse_args()
    jobs = [job for job in JOBS if not arguments.only or job.name in arguments.only.split(",")]
    reason = "left out" if arguments.no_peer else peers.why_not()
    if reason:
        print(f"bench: without Postfix and Dovecot: {reason}", file=sys.stderr)
    with (
        nullcontext() if reason else peers.running() as peer,
        nullcontext() if arguments.no_ours else ours(peer.sink if peer else 0) as own,
    ):
        targets = [*([own] if own else []), *([as_target(peer)] if peer else [])]
        results = run(jobs, targets, arguments.rounds)
    head = (
        f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores, medians of {arguments.rounds} rounds, "
        "load average at the end "
        f"{os.getloadavg()[0]:.1f}.\n\n"
    )
    text = head + table(jobs, results)
    print(text)
    complete = len(results) == len(jobs) * len(targets)
    if arguments.write and complete:
        write(arguments.write, text)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
