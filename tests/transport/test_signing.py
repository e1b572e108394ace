"""DKIM signatures are verified by dkimpy, with a DNS function that serves what we tell people to publish."""

import asyncio
import re
import threading
from typing import Any

import dkim
import psycopg
import pytest

from tests.dns_server import DnsServer
from tests.factories import MakeDomain
from transport.authentication.signatures import verify_dkim
from transport.database_threads import connection_string
from transport.dns.resolver import Resolver
from transport.key_publication import check_publication
from transport.signing import sign, signed_names
from transport.signing_keys import dns_records, ensure_keys, forget_keys

MESSAGE = (
    b"From: Ann <ann@example.test>\r\nTo: bob@example.test\r\n  , carol@example.test\r\n"
    b"Subject: =?utf-8?q?h=C3=A9?=   hello\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@example.test>\r\n\r\n.dots  and   spaces \r\n\r\n8-bit \xc3\xa9\r\n\r\n\r\n"
)
Database = psycopg.Connection[tuple[Any, ...]]


def is_valid(database: Database, domain: str, message: bytes) -> bool:
    records = {record.name: record.value for record in dns_records(database, domain)}

    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        value = records.get(name.decode().rstrip("."))
        return value.encode() if value else None

    return bool(dkim.verify(message, dnsfunc=look_up))


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE,
        MESSAGE.replace(b"\r\n\r\n.dots", b"\r\nSubject: two\r\nFrom: x@y.z\r\n\r\n.dots"),
        b"From: a@example.test\r\n\r\n",
        b"From: a@example.test\r\n\r\nno line end",
        "From: é@example.test\r\nSubject: ünï\r\n\r\nx\r\n".encode(),
        b"From: a@example.test\r\n" + b"X: y\r\n" * 500 + b"\r\n" + b"line\r\n" * 20000,
    ],
)
def test_a_signature_verifies(database: Database, make_domain: MakeDomain, message: bytes) -> None:
    domain = make_domain().name
    signature = sign(database, message, domain)
    assert signature.startswith(b"DKIM-Signature:")
    assert signature.endswith(b"\r\n")
    assert max(len(line) for line in signature.split(b"\r\n")) <= 100
    assert is_valid(database, domain, signature + message)


def test_what_is_altered_no_longer_verifies(database: Database, make_domain: MakeDomain) -> None:
    domain = make_domain().name
    signed = sign(database, MESSAGE, domain) + MESSAGE
    assert not is_valid(database, domain, signed.replace(b"hello", b"hullo"))
    assert not is_valid(database, domain, signed.replace(b"8-bit", b"9-bit"))
    assert not is_valid(
        database, domain, signed.replace(b"\r\nTo:", b"\r\nFrom: eve@e.test\r\nTo:")
    )
    assert not is_valid(database, domain, signed.replace(b"\r\nTo:", b"\r\nReply-To: e@e.t\r\nTo:"))


def test_added_trace_fields_do_not_matter(database: Database, make_domain: MakeDomain) -> None:
    domain = make_domain().name
    signed = sign(database, MESSAGE, domain) + b"Received: by us\r\n" + MESSAGE
    assert is_valid(database, domain, b"Received: from us\r\nX-Spam: no\r\n" + signed)


def test_a_strange_domain_is_not_signed_for(database: Database) -> None:
    assert sign(database, MESSAGE, "stranger.test") == b""


def test_a_key_that_was_switched_off_signs_no_more(
    database: Database, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    assert sign(database, MESSAGE, domain.name)
    database.execute(
        "UPDATE transport_dkimkey SET is_active = false WHERE domain_id = %s", [domain.pk]
    )
    forget_keys()
    assert sign(database, MESSAGE, domain.name) == b""
    assert dns_records(database, domain.name) == ()


def test_processes_that_need_a_key_at_once_make_one(
    database: Database, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    start = threading.Barrier(4)

    def make() -> None:
        with psycopg.connect(connection_string(), autocommit=True) as db:
            start.wait()
            ensure_keys(db, domain.name)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(dns_records(database, domain.name)) == 2  # one of each kind


def test_ed25519_signs_too_once_its_record_is_in_dns(
    database: Database, make_domain: MakeDomain
) -> None:
    """RFC 8463 §3: whoever knows only RSA finds its signature, and both verify."""
    domain = make_domain().name

    def signatures() -> list[str]:
        forget_keys()
        return re.findall(r"a=(\S+);", sign(database, MESSAGE, domain).decode())

    assert signatures() == ["rsa-sha256"]
    rsa, ed25519 = dns_records(database, domain)
    keys = [
        row[0]
        for row in database.execute(
            "SELECT k.id FROM transport_dkimkey k JOIN accounts_domain d ON d.id = k.domain_id"
            " WHERE d.name = %s",
            (domain,),
        )
    ]
    with DnsServer() as dns:
        resolver = Resolver([dns.address])

        def look() -> list[str]:
            resolver.forget()
            check_publication(database, resolver.look_up_async, keys)
            rows = database.execute(
                "SELECT record FROM transport_dkimkey WHERE id = ANY(%s) ORDER BY id", (keys,)
            )
            return [row[0] for row in rows]

        assert look() == ["missing", "missing"]
        assert signatures() == ["rsa-sha256"]
        for record in (rsa, ed25519):
            dns.add_text(record.name, record.value)
        assert look() == ["published", "published"]
        assert signatures() == ["rsa-sha256", "ed25519-sha256"]
        signed = sign(database, MESSAGE, domain) + MESSAGE
        evidence = asyncio.run(verify_dkim(signed, resolver.look_up_async))
        assert [one.result for one in evidence] == ["pass", "pass"]
        altered = signed.replace(b"hello", b"hullo")
        evidence = asyncio.run(verify_dkim(altered, resolver.look_up_async))
        assert [one.result for one in evidence] == ["fail", "fail"]
        dns.fail(ed25519.name)
        assert look() == ["published", "published"]  # what DNS does not say now stays
        assert len(signatures()) == 2
        dns.fail(ed25519.name, "")
        dns.remove(rsa.name)
        dns.remove(ed25519.name)
        dns.add_text(ed25519.name, "v=DKIM1; k=ed25519; p=" + "A" * 43 + "=")
        assert look() == ["missing", "differs"]
        assert signatures() == ["rsa-sha256"]
    verifier = dkim.DKIM(signed)
    for number, record in enumerate((rsa, ed25519)):
        value = record.value.encode()
        assert verifier.verify(number, dnsfunc=lambda *_, value=value, **__: value)


def test_the_private_key_is_not_stored_in_the_clear(
    database: Database, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    ensure_keys(database, domain.name)
    row = database.execute(
        "SELECT private_key_encrypted FROM transport_dkimkey WHERE domain_id = %s", [domain.pk]
    ).fetchone()
    assert row is not None
    assert "PRIVATE KEY" not in row[0]


def test_names_are_signed_as_often_as_they_occur_and_once_more() -> None:
    names = signed_names([b"from", b"received", b"list-id"])
    assert names.count(b"from") == 2
    assert names.count(b"cc") == 1
    assert names.count(b"list-id") == 1
    assert b"received" not in names
