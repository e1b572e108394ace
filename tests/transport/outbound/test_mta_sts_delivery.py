"""Policies over real DNS, HTTPS, SMTP and the database: fetched, held, refreshed, and enforced in delivery."""

import contextlib
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.certificates import Certificate, make_certificate
from tests.dns_server import DnsServer
from tests.https_server import HttpsServer
from tests.smtp_peer import SmtpPeer
from tests.transport.outbound.conftest import make_outside
from tests.transport.outbound.test_delivery import send
from transport.database_threads import Connection
from transport.dns.resolver import Resolver
from transport.outbound.delivery import Attempt, Outside
from transport.outbound.mta_sts import Mode
from transport.outbound.mta_sts_fetch import FetchFailed, fetch_policy
from transport.outbound.mta_sts_policies import StsPolicies
from transport.queue.outcomes import Result

ENFORCE = b"version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 86400\n"
RECORD = "_mta-sts.example.test"


@pytest.fixture(scope="module")
def both_names(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("sts")
    return make_certificate(folder, "mx.example.test", "mta-sts.example.test")


@pytest.fixture
def https(both_names: Certificate, dns: DnsServer) -> Iterator[HttpsServer]:
    dns.ttl = 0
    dns.add(RECORD, "TXT", '"v=STSv1; id=1"')
    dns.add("mta-sts.example.test", "A", "127.0.0.1")
    with HttpsServer(both_names) as server:
        server.body = ENFORCE
        yield server


class Clock:
    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **parts: float) -> None:
        self.time += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def policies(
    database: Connection,
    dns: DnsServer,
    https: HttpsServer,
    both_names: Certificate,
    clock: Clock,
) -> Iterator[StsPolicies]:
    yield StsPolicies(
        lambda: contextlib.nullcontext(database),
        Resolver([dns.address]),
        https.port,
        str(both_names.ca_file),
        clock,
    )
    database.execute("DELETE FROM transport_stspolicy WHERE domain = 'example.test'")


def has_row(database: Connection) -> bool:
    rows = database.execute("SELECT FROM transport_stspolicy WHERE domain = 'example.test'")
    return rows.fetchone() is not None


def test_a_policy_is_fetched_from_its_own_host_once(
    policies: StsPolicies, https: HttpsServer
) -> None:
    for _ in range(2):
        policy = policies.find("Example.Test")
        assert policy is not None
        assert (policy.mode, policy.patterns) == (Mode.ENFORCE, ("mx.example.test",))
    assert https.requests == [("mta-sts.example.test", "/.well-known/mta-sts.txt")]


def test_a_domain_without_a_record_has_no_policy_and_no_row(
    policies: StsPolicies, dns: DnsServer, https: HttpsServer, database: Connection
) -> None:
    dns.remove(RECORD)
    assert policies.find("example.test") is None
    assert policies.find("[127.0.0.1]") is None
    assert https.requests == []
    assert not has_row(database)


def test_a_new_id_is_noticed(
    policies: StsPolicies, dns: DnsServer, https: HttpsServer, clock: Clock
) -> None:
    policies.find("example.test")
    clock.pass_by(minutes=6)
    https.body = ENFORCE.replace(b"enforce", b"none")
    dns.remove(RECORD)
    dns.add(RECORD, "TXT", '"v=STSv1; id=2"')
    policy = policies.find("example.test")
    assert policy is not None
    assert policy.mode is Mode.NONE


@pytest.mark.parametrize("trouble", ["DNS", "record gone", "HTTPS"])
def test_a_policy_holds_until_it_expires_whatever_is_down(
    trouble: str, policies: StsPolicies, dns: DnsServer, https: HttpsServer, clock: Clock
) -> None:
    policies.find("example.test")
    if trouble == "DNS":
        dns.fail(RECORD)
    else:
        dns.remove(RECORD)
    if trouble == "HTTPS":
        dns.add(RECORD, "TXT", '"v=STSv1; id=2"')
        https.status = 503
    clock.pass_by(hours=23)
    policy = policies.find("example.test")
    assert policy is not None
    assert policy.mode is Mode.ENFORCE
    clock.pass_by(hours=2)
    assert policies.find("example.test") is None


def test_what_could_not_be_fetched_is_tried_again_after_minutes(
    policies: StsPolicies, https: HttpsServer, clock: Clock
) -> None:
    https.status = 404
    assert policies.find("example.test") is None
    https.status = 200
    assert policies.find("example.test") is None
    clock.pass_by(minutes=6)
    assert policies.find("example.test") is not None
    assert len(https.requests) == 2


def test_a_policy_is_refreshed_daily_before_it_expires(
    policies: StsPolicies, https: HttpsServer, clock: Clock, database: Connection
) -> None:
    https.body = ENFORCE.replace(b"86400", b"172800")
    policies.find("example.test")
    policies.refresh()
    assert len(https.requests) == 1
    for _ in range(3):
        clock.pass_by(hours=25)
        policies.refresh()
    assert len(https.requests) == 4
    assert policies.find("example.test") is not None
    clock.pass_by(days=5)
    policies.refresh()
    assert not has_row(database)


HOSTILE = {
    "a redirect": {"status": 302, "headers": {"Location": "/x", "Content-Type": "text/plain"}},
    "another media type": {"headers": {"Content-Type": "text/html"}},
    "a huge policy": {"body": ENFORCE + b"x: y\n" * 20_000},
    "no policy": {"body": b"\x00" * 100},
    "slowness": {"is_slow": True},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_are_no_policy(
    name: str, https: HttpsServer, dns: DnsServer, both_names: Certificate
) -> None:
    for attribute, value in HOSTILE[name].items():
        setattr(https, attribute, value)
    with pytest.raises(FetchFailed):
        fetch_policy(
            Resolver([dns.address]),
            "example.test",
            port=https.port,
            ca_file=str(both_names.ca_file),
            seconds=0.5,
        )


def test_a_certificate_of_another_host_or_authority_is_refused(
    https: HttpsServer, dns: DnsServer, both_names: Certificate
) -> None:
    resolver = Resolver([dns.address])
    dns.add("mta-sts.other.test", "A", "127.0.0.1")
    with pytest.raises(FetchFailed, match=r"(?i)certificate"):
        fetch_policy(resolver, "other.test", port=https.port, ca_file=str(both_names.ca_file))
    with pytest.raises(FetchFailed, match=r"(?i)certificate"):
        fetch_policy(resolver, "example.test", port=https.port)
    assert https.requests == []


# in delivery


@pytest.fixture
def tls_peer(dns: DnsServer, both_names: Certificate) -> Iterator[SmtpPeer]:
    with SmtpPeer(certificate=both_names) as peer:
        dns.add("example.test", "MX", "10 mx.example.test.")
        dns.add("mx.example.test", "A", peer.host)
        yield peer


@pytest.fixture
def enforcing(
    dns: DnsServer, tls_peer: SmtpPeer, policies: StsPolicies, both_names: Certificate
) -> Outside:
    return dataclasses.replace(
        make_outside(dns, tls_peer.port),
        sts_policy=policies.find,
        ca_file=str(both_names.ca_file),
    )


def outcome(attempt: Attempt) -> tuple[Result, str]:
    return attempt.outcomes[1].result, attempt.outcomes[1].status


def test_mail_goes_over_verified_tls(enforcing: Outside, tls_peer: SmtpPeer) -> None:
    attempt = send(enforcing)
    assert outcome(attempt)[0] is Result.DELIVERED
    assert attempt.tls.is_verified
    assert tls_peer.wait_for_messages(1)[0].is_tls


def test_nothing_is_sent_when_starttls_is_stripped(enforcing: Outside, dns: DnsServer) -> None:
    with SmtpPeer() as stripped:
        attempt = send(dataclasses.replace(enforcing, mx_port=stripped.port))
        assert outcome(attempt) == (Result.TEMPORARY, "4.7.10")
        assert not any(command.startswith("MAIL") for command in stripped.commands)


def test_nothing_is_sent_to_a_host_whose_certificate_is_not_trusted(
    enforcing: Outside, tls_peer: SmtpPeer
) -> None:
    attempt = send(dataclasses.replace(enforcing, ca_file=""))
    assert outcome(attempt)[0] is Result.TEMPORARY
    assert tls_peer.messages == []
    assert tls_peer.connections == 1  # no second try in the clear


def test_a_host_that_the_policy_does_not_permit_is_not_asked(
    enforcing: Outside, tls_peer: SmtpPeer, https: HttpsServer
) -> None:
    https.body = ENFORCE.replace(b"mx.example", b"other.example")
    assert outcome(send(enforcing)) == (Result.TEMPORARY, "4.7.5")
    assert tls_peer.connections == 0


def test_a_policy_that_is_only_tested_stops_nothing(
    enforcing: Outside, tls_peer: SmtpPeer, https: HttpsServer
) -> None:
    https.body = ENFORCE.replace(b"mx.example", b"other.example").replace(b"enforce", b"testing")
    assert outcome(send(enforcing))[0] is Result.DELIVERED
