"""`make bench-imap`: IMAP on one large folder, this server and Dovecot (Maildir, mdbox) in turn by the same driver.

    python tests/benchmarks/imap.py [--messages 100000] [--rounds 3] [--only folder,append,…] [--ops select,…]
        [--no-peer] [--no-ours] [--write docs/performance.md]

The memory of IDLE is that of the first round, in processes that have done nothing else. Each folder is filled by APPEND. Before each round Dovecot's caches of it are removed, so that "first" means the first
time on every server; what is "warm" is the median of the repetitions after it. The table holds medians of the rounds,
ours divided by the better of Dovecot's two (or by Maildir's, where the mark says so), and whether the mark is met.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks import peer as peers  # noqa: E402
from tests.benchmarks import run as smtp_run  # noqa: E402
from tests.benchmarks.imap_marks import LINES, table  # noqa: E402
from tests.end_to_end.servers import _ADD_USERS as ADD_USERS  # noqa: E402
from tests.end_to_end.servers import Server  # noqa: E402

HERE = Path(__file__).resolve().parent
DRIVER = HERE / "load.py"
DOMAIN = smtp_run.DOMAIN
COLD_USERS = 500
# They have one password: it is hashed once, for 500 times would take minutes.
ONE_HASH = """
import functools
from django.contrib.auth import base_user
base_user.make_password = functools.cache(base_user.make_password)
"""
SEED_STEP = 10_000
JOB_SECONDS = 1800
BEGIN = "<!-- imap: begin -->"
END = "<!-- imap: end -->"


@dataclass(frozen=True, slots=True)
class Target:
    """One mail store under test: its port, the letter of its users, its processes, and its caches to be removed."""

    name: str
    port: int
    letter: str
    pids: str
    listener_pids: str  # of what holds the connections, for memory
    caches: tuple[Path, ...] = ()

    def users(self, first: int, last: int) -> str:
        return f"{self.letter}{{{first}..{last}}}@{DOMAIN}"

    @property
    def reader(self) -> str:
        """The user with the large folder."""
        return f"{self.letter}1@{DOMAIN}"

    def forget(self) -> None:
        for cache in self.caches:
            cache.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured, and how often."""

    messages: int
    rounds: int
    jobs: Sequence[str]
    ops: str

    @property
    def strangers(self) -> int:
        return COLD_USERS if self.messages >= 100_000 else COLD_USERS // 10


Values = dict[str, float]
_memory_before: Values = {}  # by target, in MB


def drive(
    target: Target, command: str, *arguments: str, program: Path = DRIVER
) -> dict[str, object]:
    """Run the driver once. Raises RuntimeError with what it said when it failed."""
    started = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, str(program), command, "--port", str(target.port),
            "--server-pids", target.pids, "--label", target.name, *arguments,
        ],
        capture_output=True, text=True, timeout=JOB_SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command} on {target.name}: {done.stderr[-800:]}")
    say(f"  {target.name:16} {time.monotonic() - started:5.1f} s {done.stdout.strip()}")
    answer: dict[str, object] = json.loads(done.stdout)
    if answer.get("errors"):
        raise RuntimeError(f"{command} on {target.name}: {answer.get('first_error')}")
    return answer


def fill(target: Target, messages: int) -> None:
    """Bring the reader's folder to so many messages, and make the hundred folders for STATUS."""
    for number in (*range(SEED_STEP, messages, SEED_STEP), messages):
        drive(target, "seed", "--user", target.reader, "-n", str(number), "--folders", "100")


def folder(target: Target, options: Options) -> Values:
    target.forget()
    chosen = ("--only", options.ops) if options.ops else ()
    answer = drive(
        target, "imap-select-fetch", "--user", target.reader, "-n", str(options.messages), *chosen
    )
    values: Values = {}
    for op, measured in answer.items():
        if isinstance(measured, dict):
            values[f"{op}.first"] = measured["first_ms"]
            values[f"{op}.warm"] = measured.get("med_ms", measured["first_ms"])
            values[f"{op}.cpu"] = measured.get("cpu_ms", 0.0)
    return values


def append(target: Target, options: Options) -> Values:
    answer = drive(target, "imap-append", "--users", target.users(11, 18), "-n", "2000")
    return _figures("append", answer, "appends_per_s")


def login(target: Target, options: Options) -> Values:
    # Once before: every process has to have met the credentials that are to be known.
    drive(target, "imap-login", "--users", target.users(11, 20), "-n", "100")
    answer = drive(target, "imap-login", "--users", target.users(11, 20), "-n", "600")
    return _figures("login", answer, "logins_per_s")


def cold_login(target: Target, options: Options) -> Values:
    """500 users (50 in a short run) log in for the first time, and known ones meanwhile."""
    drive(target, "imap-login", "--users", target.users(11, 20), "-n", "100")
    cold = subprocess.Popen(
        [
            sys.executable, str(DRIVER), "imap-login", "--port", str(target.port), "--users",
            target.users(21, 20 + options.strangers), "-n", str(options.strangers),
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    values: Values = {}
    known = drive(target, "imap-login", "--users", target.users(11, 20), "-n", "200", "-c", "2")
    values["cold.known_p50"], values["cold.known_p99"] = (
        _number(known, "p50_ms"),
        _number(known, "p99_ms"),
    )
    said, _ = cold.communicate(timeout=JOB_SECONDS)
    say(f"  {target.name:16} cold: {said.strip()}")
    answer = json.loads(said)
    if answer["errors"]:
        raise RuntimeError(f"cold logins on {target.name}: {answer['first_error']}")
    values["cold.rate"] = answer["logins_per_s"]
    return values


def mixed(target: Target, options: Options) -> Values:
    answer = drive(target, "imap-mixed", "--user", target.reader, "--seconds", "12")
    return _figures("mixed", answer, "ops_per_s")


def idle(target: Target, options: Options) -> Values:
    # What a process loads with its first logins and its first message is no connection's.
    drive(target, "imap-login", "--users", target.users(1, 20), "-n", "100")
    drive(target, "imap-idle", "--users", target.users(1, 20), "-n", "20", "--deliveries", "20")
    answer = _idle(target, DRIVER)
    _memory_before.setdefault(target.name, _number(answer, "pss_base_mb"))
    return {
        "idle.kb": _number(answer, "kb_per_conn"),
        "idle.notify": _number(answer, "notify_p50_ms"),
    }


def heavy_idle(target: Target, options: Options) -> Values:
    """The whole growth since before `idle`: what its sessions left behind counts too."""
    answer = _idle(target, HERE / "heavy_idle.py")
    before = _memory_before.get(target.name, _number(answer, "pss_base_mb"))
    grown = (_number(answer, "pss_mb") - before) * 1e6 / 1024
    return {"heavy_idle.kb": grown / _number(answer, "n")}


def _idle(target: Target, program: Path) -> dict[str, object]:
    """Dovecot needs one inotify instance a session, and the kernel's default is 128: it is asked for fewer."""
    count = "1000" if target.name == "mailsite" else "100"
    return drive(
        target, "imap-idle", "--users", target.users(1, 20), "-n", count,
        "--server-pids", target.listener_pids, program=program,
    )  # fmt: skip


JOBS = {job.__name__: job for job in (idle, heavy_idle, folder, append, login, cold_login, mixed)}


def _figures(name: str, answer: dict[str, object], rate: str) -> Values:
    return {
        f"{name}.rate": _number(answer, rate),
        f"{name}.cpu": _number(answer, "server_cpu_ms_per_op"),
    }


def _number(answer: dict[str, object], name: str) -> float:
    value = answer[name]
    if not isinstance(value, int | float):
        raise RuntimeError(f"no {name} in {answer}")
    return float(value)


def run(targets: Sequence[Target], options: Options) -> dict[str, dict[str, float]]:
    """Every job on every target in turn; the medians by target and value. What failed is named and left out."""
    results: dict[str, dict[str, list[float]]] = {target.name: {} for target in targets}
    is_filled = False
    for number in range(1, options.rounds + 1):
        for name in options.jobs:
            if name == "heavy_idle" and number > 1:
                continue  # as below
            if "idle" not in name and not is_filled:
                is_filled = True
                for target in targets:
                    say(f"filling {options.messages} messages: {target.name}")
                    fill(target, options.messages)
            for target in targets:
                say(f"round {number} of {options.rounds}: {name}, {target.name}")
                smtp_run.settle(target)
                try:
                    values = JOBS[name](target, options)
                except (RuntimeError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
                    say(f"  FAILED {error}")
                    continue
                for key, value in values.items():
                    if number > 1 and key.endswith(".kb"):
                        continue  # memory is measured in processes that have done nothing else
                    results[target.name].setdefault(key, []).append(value)
    return {
        name: {key: statistics.median(values) for key, values in measured.items()}
        for name, measured in results.items()
    }


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def ours(users: int) -> Iterator[Target]:
    with Server.start("127.0.0.1", "mail.perf.test") as server:
        server.add_domain(DOMAIN)
        addresses = [f"u{number}@{DOMAIN}" for number in range(1, users + 1)]
        server.manage("shell", "-c", ONE_HASH + ADD_USERS, text="\n".join(addresses))
        assert server.process is not None
        listeners = ",".join(map(str, server.pids_of("runimap")))
        yield Target("mailsite", server.ports.imaps, "u", str(server.process.pid), listeners)


def dovecots(peer: peers.Peer) -> list[Target]:
    def target(name: str, letter: str, index: str) -> Target:
        folder = peer.folder / "mail" / f"{letter}1" / index
        caches = tuple(folder / f"dovecot.index.{kind}" for kind in ("cache", "thread"))
        return Target(name, peer.imaps, letter, peer.imap_pids, peer.imap_pids, caches)

    return [
        target("maildir", "u", "Maildir/.big"),
        target("mdbox", "m", "mdbox/mailboxes/big/dbox-Mails"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help=f"jobs, with commas: {', '.join(JOBS)}")
    parser.add_argument(
        "--ops", default="", help="of the job `folder`: the driver's names, with commas"
    )
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--no-ours", action="store_true")
    parser.add_argument("--write", type=Path, help="a document that holds the markers")
    arguments = parser.parse_args()
    jobs = [job for job in JOBS if not arguments.only or job in arguments.only.split(",")]
    options = Options(arguments.messages, arguments.rounds, jobs, arguments.ops)
    reason = "left out" if arguments.no_peer else peers.why_not(smtp=False)
    if reason:
        say(f"bench: without Dovecot: {reason}")
    began = time.monotonic()
    users = 20 + (options.strangers if "cold_login" in jobs else 0)
    with contextlib.ExitStack() as stack:
        targets = []
        if not arguments.no_ours:
            targets.append(stack.enter_context(ours(users)))
        if not reason:
            targets += dovecots(stack.enter_context(peers.running(smtp=False, users=users)))
        medians = run(targets, options)
    text = (
        f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores, {options.messages} messages, medians of "
        f"{options.rounds} rounds, load average at the end {os.getloadavg()[0]:.1f}.\n\n{table(LINES, medians)}"
    )
    print(text)
    say(f"{time.monotonic() - began:.0f} s")
    if arguments.write and not reason:
        smtp_run.write(arguments.write, text, BEGIN, END)
    return 0


if __name__ == "__main__":
    sys.exit(main())
