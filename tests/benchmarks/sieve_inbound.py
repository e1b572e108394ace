"""`make bench`: inbound mail to users with an active script of 30 rules beside users without, on one server.

    python tests/benchmarks/sieve_inbound.py [--rounds 5] [--messages 1000] [--write docs/performance.md]

The two are measured in turn, in an order that changes each round, and the mark is for the median of the differences
within a round: the machine's own ups and downs are in both. No rule fits but all are looked at, and the message goes
to INBOX as it does without a script. The figures of `sieve.py`, in one process, stand below.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks import sieve  # noqa: E402
from tests.benchmarks.run import DOMAIN, JOBS, Job, Measured, measure, settle, write  # noqa: E402
from tests.benchmarks.run import Target as Measurable  # noqa: E402
from tests.end_to_end.servers import Server  # noqa: E402

RULES = 30
USERS = 10
MARK = 0.5  # milliseconds of CPU a message
BEGIN = "<!-- sieve: begin -->"
END = "<!-- sieve: end -->"
PLAIN, FILTERED = "without", "with 30 rules"

_ACTIVATE = """
import sys
from accounts.people import find_user, raw_connection
from routing.scripts.storage import activate_script, put_script
first, script = sys.stdin.read().split("\\n", 1)
for address in first.split():
    mailbox = find_user(address).mailbox.pk
    put_script(raw_connection(), mailbox, "rules", script.encode())
    activate_script(raw_connection(), mailbox, "rules")
"""


def addresses(kind: str) -> list[str]:
    prefix = "p" if kind == PLAIN else "f"
    return [f"{prefix}{number}@{DOMAIN}" for number in range(1, USERS + 1)]


def job(kind: str, messages: int) -> Job:
    """The driver's inbound job, to the users of one kind."""
    (inbound,) = (one for one in JOBS if one.name == "smtp-inbound")
    users = f"{'p' if kind == PLAIN else 'f'}{{1..{USERS}}}@{DOMAIN}"
    return replace(inbound, arguments=("--purge", "--users", users, "-n", str(messages)))


def rounds_of(target: Measurable, rounds: int, messages: int) -> list[dict[str, Measured]]:
    """One more than is kept: the first compiles and connects."""
    found = []
    for number in range(rounds + 1):
        order = (PLAIN, FILTERED) if number % 2 else (FILTERED, PLAIN)
        measured = {}
        for kind in order:
            settle(target)
            measured[kind] = measure(job(kind, messages), target)
        found.append(measured)
    return found[1:]


def serve(rounds: int, messages: int) -> list[dict[str, Measured]]:
    with Server.start("127.0.0.1", "mail.perf.test") as server:
        server.add_domain(DOMAIN)
        server.add_users(*addresses(PLAIN), *addresses(FILTERED))
        script = sieve.script(RULES).decode()
        activated = " ".join(addresses(FILTERED))
        server.manage("shell", "-c", _ACTIVATE, text=f"{activated}\n{script}")
        assert server.process is not None
        pid = str(server.process.pid)
        ports = {"smtp": server.ports.smtp, "imaps": server.ports.imaps}
        target = Measurable("mailsite", "127.0.0.1", ports, pid, pid)
        return rounds_of(target, rounds, messages)


def report(found: list[dict[str, Measured]]) -> tuple[str, bool]:
    """The tables in Markdown, and whether all marks are met."""
    rates, cpus = (
        [statistics.median(getattr(one[kind], what) for one in found) for kind in (PLAIN, FILTERED)]
        for what in ("rate", "cpu")
    )
    more = statistics.median(one[FILTERED].cpu - one[PLAIN].cpu for one in found)
    lines = [
        "| Inbound mail | delivered/s | CPU ms a message |",
        "|---|---|---|",
        f"| {PLAIN} a script | {rates[0]:.0f} | {cpus[0]:.2f} |",
        f"| {FILTERED} | {rates[1]:.0f} | {cpus[1]:.2f} |",
        f"| more, median of {len(found)} pairs (at most {MARK}: {_met(more <= MARK)}) | | {more:.2f} |",
        "",
        "| Sieve in one process | measured | at most | |",
        "|---|---|---|---|",
    ]
    figures = list(sieve.figures())
    lines += [
        f"| {name} | {figure:.2f} {unit} | {most:g} {unit} | {_met(figure <= most)} |"
        for name, figure, unit, most in figures
    ]
    is_good = more <= MARK and all(figure <= most for _, figure, _, most in figures)
    return "\n".join(lines), is_good


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--write", type=Path, help="a document that holds the markers")
    arguments = parser.parse_args()
    found = serve(arguments.rounds, arguments.messages)
    tables, is_good = report(found)
    text = (
        f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores, {arguments.rounds} rounds of "
        f"{arguments.messages} messages, load average at the end {os.getloadavg()[0]:.1f}.\n\n{tables}"
    )
    print(text)
    if arguments.write:
        write(arguments.write, text, BEGIN, END)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
