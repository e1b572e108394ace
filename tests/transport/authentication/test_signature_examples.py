"""DKIM verification by examples of others: RFC 6376's own, dkimpy's verdicts, our signer, real mail; and hostile keys."""

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import dkim
import psycopg
import pytest
from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives import serialization
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dns_server import DnsServer
from tests.factories import MakeDomain
from tests.transport.authentication.test_signatures import (
    KEY,
    MESSAGE,
    RFC8463_MESSAGE,
    _der,
    public,
    signed,
    verify,
    words,
    zone,
)
from tests.transport.authentication.zone import Zone, text
from transport.authentication.canonical import relaxed_body, relaxed_value, simple_body
from transport.authentication.chains import verify_arc
from transport.authentication.signatures import verify_dkim
from transport.authentication.signed_message import SignedMessage
from transport.dns.resolver import Resolver
from transport.signing import sign
from transport.signing_keys import dns_records, forget_keys

CORPUS = Path(__file__).parents[2] / "routing/spam/corpus.zip"

# Appendix A.2. The page was laid out when it was printed: what was signed has folds of six and one space after a full stop.
RFC6376_MESSAGE = b"""\
DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
      4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game. Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
# Appendix C
RFC6376_KEY = (
    "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYt"
    "IxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhi"
    "tdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)


def test_the_example_of_rfc_6376() -> None:
    dns = Zone({"brisbane._domainkey.example.com": {"TXT": [text(RFC6376_KEY)]}})
    [evidence] = verify(RFC6376_MESSAGE, dns)
    assert (evidence.result, evidence.domain) == ("pass", "example.com")
    assert words(RFC6376_MESSAGE.replace(b"hungry", b"thirsty"), dns) == ["fail"]


def test_canonical_forms_of_rfc_6376() -> None:
    """§3.4.5."""
    content = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"
    message = SignedMessage(content)
    relaxed = [message.canonical("relaxed", field) for field in message.fields]
    assert relaxed == [b"a:X\r\n", b"b:Y Z\r\n"]
    simple = [message.canonical("simple", field) for field in message.fields]
    assert simple == [b"A: X\r\n", b"B : Y\t\r\n\tZ  \r\n"]
    body = content[message.header_size :]
    assert relaxed_body(body) == b" C\r\nD E\r\n"
    assert simple_body(body) == b" C \r\nD \t E\r\n"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"."]), max_size=14).map(b"".join))
def test_canonical_forms_are_those_of_dkimpy(body: bytes) -> None:
    body += b"\r\n"  # without it dkimpy keeps a space at the end
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)
    assert simple_body(body) == Simple.canonicalize_body(body)
    folded = body.replace(b"\r\n", b"\r\n ")
    [(_, value)] = Relaxed.canonicalize_headers([(b"a", folded + b"\r\n")])
    assert relaxed_value(folded) + b"\r\n" == value


def test_what_we_sign_passes_over_dns(
    database: psycopg.Connection[tuple[Any, ...]], make_domain: MakeDomain
) -> None:
    forget_keys()
    domain = make_domain().name
    content = sign(database, MESSAGE, domain) + MESSAGE
    records = {one.name: {"TXT": [text(one.value)]} for one in dns_records(database, domain)}
    with DnsServer(records) as server:
        look_up = Resolver([server.address]).look_up_async
        [evidence] = async_to_sync(verify_dkim)(content, look_up)
        assert (evidence.result, evidence.domain) == ("pass", domain)
        # From and the others are signed once more than they are there (RFC 6376 §8.15)
        for forged in (b"From: x@example.test\r\n", b"Subject: buy\r\n"):
            [evidence] = async_to_sync(verify_dkim)(forged + content, look_up)
            assert evidence.result == "fail"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_word_passes_in_the_relaxed_form(data: st.DataObject) -> None:
    """Of what is signed only white space, and the case of names, may change."""
    content = signed(canonicalize=(b"relaxed", b"relaxed"))
    start = content.index(b"From:")
    places = [at for at in range(start, len(content)) if content[at] not in b" \t\r\n:"]
    in_values = [at for at in places if content.rfind(b":", content.rfind(b"\n", 0, at), at) > 0]
    place = data.draw(st.sampled_from(in_values))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    changed = content[:place] + bytes([octet]) + content[place + 1 :]
    assert "pass" not in words(changed, zone())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_changed_signature_field_passes_only_where_it_means_the_same(data: st.DataObject) -> None:
    content = signed(canonicalize=(b"relaxed", b"relaxed"))
    end = content.index(b"From:")
    place = data.draw(st.integers(0, end - 3))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    changed = content[:place] + bytes([octet]) + content[place + 1 :]
    if "pass" in words(changed, zone()):
        assert meant(changed[:end]) == meant(content[:end])


def meant(field: bytes) -> bytes:
    """A field without white space, its name in lower case."""
    name, _, value = re.sub(rb"\s", b"", field).partition(b":")
    return name.lower() + value


@pytest.mark.parametrize(
    ("der", "result"),
    [
        ("PKCS1", "pass"),  # RSAPublicKey: what §3.6.1 says, though nearly all publish the other
        ("SubjectPublicKeyInfo", "pass"),
    ],
)
def test_both_forms_of_an_rsa_key(der: str, result: str) -> None:
    octets = KEY.public_key().public_bytes(
        serialization.Encoding.DER, getattr(serialization.PublicFormat, der)
    )
    assert words(signed(), zone(f"v=DKIM1; p={base64.b64encode(octets).decode()}")) == [result]


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (f"v=DKIM1; t=s; p={public()}", "permerror"),
        (f"v=DKIM1; t=y; p={public()}", "pass"),
    ],
)
def test_a_key_for_the_very_domain(record: str, result: str) -> None:
    content = signed(identity=b"joe@sub.example.test")
    assert words(content, zone()) == ["pass"]
    assert words(content, zone(record)) == [result]


@pytest.mark.parametrize(
    ("modulus_bits", "exponent"),
    [(16_384, 65_537), (4_096, (1 << 4_095) + 1), (4_096, (1 << 33) + 1), (60_000, 3)],
)
def test_huge_keys_cost_nothing(modulus_bits: int, exponent: int) -> None:
    octets = _der((1 << modulus_bits) - 159, exponent)
    value = base64.b64encode(b"x" * (modulus_bits // 8))
    content = re.sub(rb"b=[A-Za-z0-9+/=\s]+$", b"", signed()[: -len(MESSAGE)].rstrip())
    content += b"b=" + value + b"\r\n" + MESSAGE
    dns = zone(f"v=DKIM1; p={base64.b64encode(octets).decode()}")
    verify(content, zone())  # what is loaded on first use
    began = time.process_time()
    assert set(words(content, dns)) <= {"policy", "permerror"}
    assert time.process_time() - began < 0.1


def test_ed25519_keys_of_another_size_or_type() -> None:
    octets = base64.b64decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    for kind, value, expected in (
        ("ed25519", octets, "pass"),
        ("ed25519", octets[:-1], "permerror"),
        ("ed25519", octets + b"x", "permerror"),
        ("ed25519", bytes(32), "fail"),
        ("rsa", octets, "permerror"),
    ):
        record = f"v=DKIM1; k={kind}; p={base64.b64encode(value).decode()}"
        dns = Zone({"brisbane._domainkey.football.example.com": {"TXT": [text(record)]}})
        assert words(RFC8463_MESSAGE, dns)[0] == expected


def test_a_large_body_is_made_canonical_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[int] = []
    sha256 = hashlib.sha256

    def counted(value: bytes = b"", **options: Any) -> Any:
        hashed.append(len(value))
        return sha256(value, **options)

    content = MESSAGE + b"line of text\r\n" * 50_000
    field = signed(content)[: -len(content)]
    monkeypatch.setattr(hashlib, "sha256", counted)
    assert words(field * 10 + content, zone()) == ["pass"] * 10
    assert sum(size > 100_000 for size in hashed) == 1


def test_nothing_is_verified_below_a_header_over_a_mebibyte() -> None:
    """Its fields are not all known: a second From may be among them."""
    content = signed().replace(b"To: ann", b"X: " + b"y" * (1 << 20) + b"\r\nTo: ann", 1)
    assert words(content, zone()) == ["policy"]


def real_messages() -> Iterator[bytes]:
    with ZipFile(CORPUS) as archive:
        for name in archive.namelist():
            if not name.endswith("/"):
                content = re.sub(rb"\r?\n", b"\r\n", archive.read(name))
                yield re.sub(rb"\AFrom .*\r\n", b"", content)  # of an mbox


def test_real_mail_is_judged_and_passes_once_signed() -> None:
    """None of it was signed when it was sent; signed by dkimpy, all of it passes, unless dkimpy says otherwise."""
    dns = zone()
    count = passed = 0
    for content in real_messages():
        assert words(content, dns) == []
        assert async_to_sync(verify_arc)(content, dns).result == "none"
        count += 1
        if count % 4 or not re.search(rb"(?im)^from:", content.partition(b"\r\n\r\n")[0]):
            continue
        try:
            whole = signed(content, include_headers=None)
        except dkim.MessageFormatError:  # a line in the header that is no field
            continue
        assert words(whole, dns) == ["pass"]
        passed += 1
    assert count == 400
    assert passed > 80
