"""Inbound mail with the whole defence: SPF, DKIM, DMARC and DNSBL asked of a local DNS server, the classifier, a script of 30 rules.

    python tests/benchmarks/defence_inbound.py [--rounds 5] [--messages 1000] [--write docs/performance.md]

The mark is the CPU of all of the server's processes for a message of 5 KB that carries one RSA signature of 2048 bits.
"""

import argparse
import base64
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks import load, sieve  # noqa: E402
from tests.benchmarks import peer as peers  # noqa: E402
from tests.benchmarks.run import (  # noqa: E402
    DOMAIN,
    JOBS,
    Measured,
    Target,
    as_target,
    measure,
    settle,
    write,
)
from tests.benchmarks.sieve_inbound import _ACTIVATE  # noqa: E402
from tests.dns_server import DnsServer  # noqa: E402
from tests.end_to_end.servers import Server  # noqa: E402

USERS = 10
RULES = 30
SENDER = "news.test"
MARK = 8.0  # milliseconds of CPU a message
RATE_MARK = 2.0  # times what the peer delivers
BEGIN = "<!-- defence: begin -->"
END = "<!-- defence: end -->"

_TEACH = """
import sys
from accounts.models import Domain
from accounts.people import raw_connection
from routing.spam_models.learning import learn
from tests.benchmarks.defence_inbound import lessons
for learned in learn(raw_connection(), Domain.objects.get(name=sys.stdin.read().strip()).pk, lessons()):
    pass
"""


def lessons() -> Iterator[tuple[bytes, bool]]:
    """Messages like those that are sent, and whether they are spam."""
    pick = random.Random(7)
    for number in range(400):
        message = load.message(number, 5000, "a@news.test", "u1@perf.test", pick, "taught")
        content = message if isinstance(message, bytes) else message.encode()
        is_spam = number % 2 == 0
        yield b"X-Class: %d\r\n" % is_spam + content, is_spam


def zone(key: rsa.RSAPrivateKey) -> DnsServer:
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    server = DnsServer()
    server.add_text(SENDER, "v=spf1 ip4:127.0.0.1 include:spf.news.test -all")
    server.add_text("spf.news.test", "v=spf1 ip4:192.0.2.0/24 -all")
    server.add_text(f"_dmarc.{SENDER}", "v=DMARC1; p=reject")
    server.add_text(f"s1._domainkey.{SENDER}", f"v=DKIM1; p={base64.b64encode(public).decode()}")
    server.add_pointer("127.0.0.1", f"mx.{SENDER}")
    server.add(f"mx.{SENDER}", "A", "127.0.0.1")
    return server


def measured(rounds: int, messages: int, *, has_peer: bool) -> dict[str, list[Measured]]:
    """What each of the two reached in each round, in turn; one more round is measured than is kept."""
    key = rsa.generate_private_key(65537, 2048)
    (inbound,) = (one for one in JOBS if one.name == "smtp-inbound")
    found: dict[str, list[Measured]] = {}
    with ExitStack() as stack:
        dns = stack.enter_context(zone(key))
        pem = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".pem"))
        pem.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        pem.flush()
        targets = [stack.enter_context(ours(dns))]
        if has_peer:
            targets.append(stack.enter_context(theirs(dns)))
        arguments = (
            "--purge", "--users", f"u{{1..{USERS}}}@{DOMAIN}", "-n", str(messages), "--size", "5000",
            "--sender", f"a@{SENDER}", "--dkim-key", pem.name,
        )  # fmt: skip
        for _ in range(rounds + 1):
            for target in targets:
                settle(target)
                one = measure(replace(inbound, arguments=arguments), target)
                found.setdefault(target.name, []).append(one)
    return {name: kept[1:] for name, kept in found.items()}


@contextmanager
def ours(dns: DnsServer) -> Iterator[Target]:
    """Our server, with the script for each user and a model that was taught."""
    users = [f"u{number}@{DOMAIN}" for number in range(1, USERS + 1)]
    with Server.start("127.0.0.1", "mail.perf.test", dns=dns.address) as server:
        server.add_domain(DOMAIN)
        server.add_users(*users)
        rules = sieve.script(RULES).decode()
        server.manage("shell", "-c", _ACTIVATE, text=f"{' '.join(users)}\n{rules}")
        server.manage("shell", "-c", _TEACH, text=DOMAIN)
        assert server.process is not None
        pid = str(server.process.pid)
        ports = {"smtp": server.ports.smtp, "imaps": server.ports.imaps}
        yield Target("mailsite", "127.0.0.1", ports, pid, pid)


@contextmanager
def theirs(dns: DnsServer) -> Iterator[Target]:
    """Postfix with rspamd, taught the same, and Dovecot without a script."""
    with tempfile.TemporaryDirectory() as folder:
        taught = Path(folder) / "spam", Path(folder) / "ham"
        for number, (content, is_spam) in enumerate(lessons()):
            place = taught[0] if is_spam else taught[1]
            place.mkdir(exist_ok=True)
            (place / f"{number}.eml").write_bytes(content)
        with peers.running(users=USERS, dns_port=int(dns.port), taught=taught) as peer:
            yield as_target(peer)


def report(found: dict[str, list[Measured]]) -> tuple[str, bool]:
    """The table in Markdown, and whether the marks are met."""
    own = _median(found["mailsite"])
    other = _median(found["postfix+dovecot"]) if "postfix+dovecot" in found else None
    is_met = own.cpu <= MARK and (other is None or own.rate >= RATE_MARK * other.rate)
    lines = [
        "| Inbound mail, wholly judged | delivered/s | CPU ms a message |",
        "|---|---|---|",
        f"| Mailsite | {own.rate:.0f} | {own.cpu:.2f} |",
    ]
    if other is not None:
        lines += [
            f"| Postfix with rspamd, and Dovecot | {other.rate:.0f} | {other.cpu:.2f} |",
            f"| ours : theirs (at least {RATE_MARK:g}; at most {MARK:g} ms) | {own.rate / other.rate:.2f} "
            f"| {own.cpu / other.cpu:.2f} |",
        ]
    return "\n".join(lines), is_met


def _median(measured: list[Measured]) -> Measured:
    return Measured(
        statistics.median(one.rate for one in measured),
        statistics.median(one.cpu for one in measured),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--write", type=Path, help="a document that holds the markers")
    arguments = parser.parse_args()
    reason = "left out" if arguments.no_peer else peers.why_not(judges=True)
    if reason:
        print(f"Postfix with rspamd: {reason}", file=sys.stderr)
    found = measured(arguments.rounds, arguments.messages, has_peer=not reason)
    text, is_met = report(found)
    print(text)
    if arguments.write:
        write(arguments.write, text, BEGIN, END)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
