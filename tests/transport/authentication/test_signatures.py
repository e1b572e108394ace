"""DKIM verification, RFC 6376: every signature, every key that DNS may hold, and what must never pass."""

import base64
import time

import dkim
import pytest
from asgiref.sync import async_to_sync
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.evidence import DkimEvidence
from tests.transport.authentication.zone import Zone, text
from transport.authentication.signatures import verify_dkim

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
MESSAGE = (
    b"From: Joe <joe@example.test>\r\nTo: ann@example.org\r\nSubject:  A  test\r\n\tfolded\r\n"
    b"Date: Mon, 23 Nov 2026 07:00:00 +0000\r\n\r\nHello,  world \r\n\r\nbye\r\n\r\n\r\n"
)

# RFC 8463 Appendix A
ED25519_KEY = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
RFC8463_ZONE = {
    "brisbane._domainkey.football.example.com": {
        "TXT": ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="']
    },
    "test._domainkey.football.example.com": {
        "TXT": [
            text(
                "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
                "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
                "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
                "Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
            )
        ]
    },
}
RFC8463_MESSAGE = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.

""".replace(b"\n", b"\r\n")


def public(key: rsa.RSAPrivateKey = KEY) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def pem(key: rsa.RSAPrivateKey = KEY) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def zone(record: str = "", **others: str) -> Zone:
    records = {"s1": record or f"v=DKIM1; p={public()}", **others}
    return Zone(
        {
            f"{selector}._domainkey.example.test": {"TXT": [text(value)]}
            for selector, value in records.items()
        }
    )


def signed(content: bytes = MESSAGE, **options: object) -> bytes:
    options = {"include_headers": [b"from", b"to", b"subject", b"date"], **options}
    return dkim.sign(content, b"s1", b"example.test", pem(), **options) + content  # type: ignore[arg-type]


def verify(content: bytes, dns: Zone) -> tuple[DkimEvidence, ...]:
    return async_to_sync(verify_dkim)(content, dns)


def words(content: bytes, dns: Zone) -> list[str]:
    return [one.result for one in verify(content, dns)]


def test_both_signatures_of_rfc_8463() -> None:
    found = verify(RFC8463_MESSAGE, Zone(RFC8463_ZONE))
    assert [(one.result, one.selector, one.algorithm) for one in found] == [
        ("pass", "brisbane", "ed25519-sha256"),
        ("pass", "test", "rsa-sha256"),
    ]
    assert [one.tag_b for one in found] == ["/gCrinpc", "F45dVWDf"]


@pytest.mark.parametrize("header_form", [b"simple", b"relaxed"])
@pytest.mark.parametrize("body_form", [b"simple", b"relaxed"])
@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"\r\n\r\n", b"a", b" \r\n", b"a \t b \r\n \r\n\r\n", b"\t a\r\n.\r\n"]
)
def test_what_dkimpy_signs_passes(header_form: bytes, body_form: bytes, body: bytes) -> None:
    content = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    assert words(signed(content, canonicalize=(header_form, body_form)), zone()) == ["pass"]


def test_no_signature_is_no_evidence() -> None:
    assert verify(MESSAGE, zone()) == ()


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (b"Hello", b"Hallo", "fail"),
        (b"A  test", b"A best", "fail"),
        (b"bye\r\n\r\n\r\n", b"bye\r\n", "pass"),
        (b"A  test\r\n\tfolded", b"A test folded", "pass"),
        (b"v=1;", b"v=2;", "permerror"),
        (b"v=1;", b"", "permerror"),
        (b"v=1;", b"v=1; v=1;", "permerror"),
        (b"a=rsa-sha256", b"a=rsa-sha1", "permerror"),
        (b"a=rsa-sha256", b"a=rsa-md5", "permerror"),
        (b"s=s1", b"s=s2", "permerror"),
        (b"s=s1", b"s=s1.-x/y", "permerror"),
        (b"d=example.test", b"d=exa mple.test", "permerror"),
        (b"d=example.test", b"d=other.test", "permerror"),
        (b"i=@example.test", b"i=joe@sub.example.test", "fail"),
        (b"i=@example.test", b"i=joe@ample.test", "permerror"),
        (b"i=@example.test", b"i=@xexample.test", "permerror"),
        (b"v=1;", b"v=1; q=dns;", "permerror"),
        (b" t=", b" t=500; x=1000; was=", "policy"),
        (b" t=", b" x=1000; t=", "permerror"),
        (b"v=1;", b"v=1; l=9999999999;", "policy"),
        (b"v=1;", b"v=1; l=-1;", "permerror"),
        (b"h=from", b"h=x-from", "permerror"),
        (b"bh=", b"bh=!", "permerror"),
        (b"c=relaxed/relaxed", b"c=relaxed/nofws", "permerror"),
    ],
)
def test_a_changed_message(old: bytes, new: bytes, result: str) -> None:
    content = signed(canonicalize=(b"relaxed", b"relaxed"))
    assert old in content
    assert words(content.replace(old, new, 1), zone()) == [result]


def test_fields_are_taken_from_the_last_up() -> None:
    """§5.4.2: a second From above the signed one does not break the signature, one below it does."""
    forged = b"From: boss@example.test\r\n"
    content = signed()
    assert words(forged + content, zone()) == ["pass"]
    assert words(content.replace(b"To: ann", forged + b"To: ann"), zone()) == ["fail"]


def test_an_unsigned_rest_of_the_body_does_not_pass() -> None:
    content = signed(length=True)
    assert words(content, zone()) == ["pass"]
    [evidence] = verify(content + b"http://evil.example\r\n", zone())
    assert (evidence.result, evidence.reason) == ("policy", "part of the body is not signed")


def test_a_signature_of_the_future_is_not_believed() -> None:
    content = signed().replace(b"t=", b"t=%d; was=" % (time.time() + 1e6), 1)
    assert words(content, zone()) == ["policy"]


@pytest.mark.parametrize(
    ("record", "result"),
    [
        (f"p={public()}", "pass"),
        (f"v=DKIM1; k=rsa; h=sha1:sha256; s=email; t=y:s; p={public()}", "pass"),
        (f"v=DKIM1; s=*; n=a note; p={public()}; unknown=1", "pass"),
        (f"k=rsa; v=DKIM1; p={public()}", "permerror"),
        (f"v=DKIM2; p={public()}", "permerror"),
        ("v=DKIM1; p=", "permerror"),
        ("v=DKIM1; k=rsa", "permerror"),
        (f"v=DKIM1; k=ed25519; p={public()}", "permerror"),
        (f"v=DKIM1; h=sha1; p={public()}", "permerror"),
        (f"v=DKIM1; s=tlsrpt; p={public()}", "permerror"),
        (f"v=DKIM1; p={public()[:-8]}", "permerror"),
        (f"v=DKIM1; p={public()}; p={public()}", "permerror"),
        ("v=spf1 -all", "permerror"),
        ("v=DKIM1; p=" + "A" * 20_000, "permerror"),
    ],
)
def test_a_key_record(record: str, result: str) -> None:
    assert words(signed(), zone(record)) == [result]


def test_several_records_at_one_name() -> None:
    dns = zone()
    own = next(iter(dns.records.values()))["TXT"]
    dns.records["s1._domainkey.example.test"] = {"TXT": ['"v=spf1 -all"', '"p="', *own]}
    assert words(signed(), dns) == ["pass"]


def test_a_key_that_is_only_tried_out_is_said_to_be() -> None:
    [evidence] = verify(signed(), zone(f"v=DKIM1; t=y; p={public()}"))
    assert evidence == DkimEvidence(
        "pass", "example.test", "s1", "rsa-sha256", evidence.tag_b, is_testing=True
    )


@pytest.mark.parametrize("bits", [512, 768, 8192])
def test_rsa_keys_too_short_or_too_long_are_no_evidence(bits: int) -> None:
    """RFC 8301 §3.2; the huge one is made of digits, since nothing is computed with it."""
    modulus = (1 << bits) - 159
    numbers = rsa.RSAPublicNumbers(65537, modulus)
    der = _der(numbers.n, numbers.e)
    started = time.process_time()
    [evidence] = verify(signed(), zone(f"v=DKIM1; p={base64.b64encode(der).decode()}"))
    assert evidence.result in {"policy", "permerror"}
    assert time.process_time() - started < 0.5


def test_a_huge_exponent_is_refused_before_it_is_computed_with() -> None:
    der = _der(KEY.public_key().public_numbers().n, (1 << 2000) + 1)
    started = time.process_time()
    [evidence] = verify(signed(), zone(f"v=DKIM1; p={base64.b64encode(der).decode()}"))
    assert evidence.result in {"policy", "permerror"}
    assert time.process_time() - started < 0.5


def test_dns_trouble_is_a_temporary_error() -> None:
    dns = zone()
    dns.broken.add("s1._domainkey.example.test")
    assert words(signed(), dns) == ["temperror"]


def test_a_changed_body_asks_nothing() -> None:
    dns = zone()
    assert words(signed().replace(b"Hello", b"Hallo"), dns) == ["fail"]
    assert dns.asked == []


def test_of_200_signatures_ten_are_looked_at() -> None:
    field, content = signed()[: -len(MESSAGE)], MESSAGE
    dns = zone()
    assert words(field * 200 + content, dns) == ["pass"] * 10
    assert len(dns.asked) == 10


def test_a_header_of_10000_fields_is_no_evidence() -> None:
    content = signed().replace(b"To: ann", b"X: y\r\n" * 10_000 + b"To: ann")
    started = time.process_time()
    assert words(content, zone()) == ["policy"]
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "body", [b" " * 2_000_000 + b"x\r\n", b"\r\n" * 1_000_000 + b"x\r\n", b"\r\n" * 1_000_000]
)
def test_hostile_bodies_take_linear_time(body: bytes) -> None:
    content = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    field = b"DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s1; h=from; bh=AAAA; b=AAAA; c=%s\r\n"
    started = time.process_time()
    both = (field % b"relaxed/relaxed") + (field % b"simple/simple")
    assert words(both + content, zone()) == ["fail", "fail"]
    assert time.process_time() - started < 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_octet_of_what_is_signed_passes(data: st.DataObject) -> None:
    content = signed(canonicalize=(b"simple", b"simple"))
    start = content.index(b"From:")
    end = content.rindex(b"bye") + 3
    place = data.draw(st.integers(start, end - 1))
    octet = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    changed = content[:place] + bytes([octet]) + content[place + 1 :]
    # the case of a name counts in the simple form too, so nothing may change
    assert "pass" not in words(changed, zone())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=300))
def test_any_octets_are_judged(field: bytes, record: str) -> None:
    safe = "".join(sign for sign in record if " " <= sign <= "~" and sign not in '"\\')
    verify(b"DKIM-Signature: " + field + b"\r\n" + signed(), zone(safe or "x"))


def _der(modulus: int, exponent: int) -> bytes:
    """SubjectPublicKeyInfo of any two numbers (RFC 8017 appendix A.1.1)."""

    def wrap(tag: int, value: bytes) -> bytes:
        size = len(value)
        length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
        return bytes([tag]) + length + value

    def integer(value: int) -> bytes:
        return wrap(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))

    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    key = wrap(0x30, integer(modulus) + integer(exponent))
    return wrap(0x30, algorithm + wrap(3, b"\0" + key))


def test_ed25519_of_our_own() -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(ED25519_KEY))
    octets = private.public_key().public_bytes_raw()
    assert base64.b64encode(octets).decode() == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
