"""A DNS server, next hops, and a courier between them, all on loopback."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Certificate, make_certificate
from tests.dns_server import DnsServer
from tests.smtp_peer import SmtpPeer
from transport.dns.resolver import Resolver
from transport.outbound.delivery import Outside
from transport.outbound.wire import TimeLimits

LIMITS = TimeLimits(connect=5, greeting=5, tls=5, command=5, data=5, block=5, content=5, quit=0.5)


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


@pytest.fixture
def peer(dns: DnsServer) -> Iterator[SmtpPeer]:
    """The MX of example.test."""
    with SmtpPeer() as peer:
        dns.add("example.test", "MX", "10 mx.example.test.")
        dns.add("mx.example.test", "A", peer.host)
        yield peer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return make_certificate(folder, "mx.example.test")


@pytest.fixture
def outside(dns: DnsServer, peer: SmtpPeer) -> Outside:
    """MX hosts listen on the peer's port; chance is seeded."""
    return make_outside(dns, peer.port)


def make_outside(dns: DnsServer, port: int, limits: TimeLimits = LIMITS) -> Outside:
    return Outside(Resolver([dns.address]), "us.test", port, random.Random(1), limits)
