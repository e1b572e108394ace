"""Attacks by way of DNS and of signatures, on port 25: each message gets its reply in bounded time, and others' mail goes through."""

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.factories import unique
from tests.transport.smtp import test_attacks
from tests.transport.smtp.test_authenticated import HERE, mail
from tests.transport.smtp.test_receiving import deliver
from transport.smtp import judging, policing

BODY_HASH = base64.b64encode(hashlib.sha256(b"Text.\r\n").digest()).decode()

others_mail_passes = test_attacks.others_mail_passes


def public(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(
        key.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode()


def signature(domain: str, selector: str, octets: int = 256) -> str:
    """A signature of another's key over this body."""
    value = base64.b64encode(b"x" * octets).decode()
    return (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s={selector};"
        f" h=from:subject; bh={BODY_HASH}; b={value}"
    )


def delivered_beside(others: Any, dialogue: Any, sender: str, user: Any, content: bytes) -> float:
    """Deliver while somebody else does; the seconds that it took."""
    began = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        others_mail = beside.submit(others)
        reply = deliver(dialogue, sender, user.address, content=content)
        seconds = time.monotonic() - began
        others_mail.result()
    assert reply.startswith("250 ")
    return seconds


def results(stored: Any, user: Any) -> bytes:
    [copy] = stored(user)
    return bytes(copy[copy.index(b"Authentication-Results: mx") : copy.index(b"Received: ")])


def test_an_spf_record_that_includes_for_ever_is_left_after_ten(
    dialogue, make_user, zones, stored, others_mail_passes
) -> None:
    user, domain = make_user(), f"{unique('bomb')}.example"
    wide = " ".join(f"include:%{{l}}{number}.{domain}" for number in range(10))
    for number in range(100):
        zones.add_text(f"a{number}.{domain}", f"v=spf1 {wide.replace('%{l}', 'b')} ~all")
        zones.add_text(f"b{number}.{domain}", f"v=spf1 {wide.replace('%{l}', 'a')} ~all")
    zones.add_text(domain, f"v=spf1 {wide.replace('%{l}', 'a')} ~all")
    seconds = delivered_beside(
        others_mail_passes, dialogue, f"x@{domain}", user, mail(f"x@{domain}")
    )
    assert seconds < 5
    assert b"spf=permerror" in results(stored, user)
    asked = [name for name, _ in zones.queries if name.rstrip(".").endswith(domain)]
    assert len(asked) < 30


def test_a_key_of_16384_bits_is_not_used(
    dialogue, make_user, zones, stored, others_mail_passes
) -> None:
    user, domain = make_user(), f"{unique('huge')}.example"
    zones.add_text(domain, HERE)
    body = base64.b64encode(b"0" + b"z" * 2400).decode()  # its size alone is enough
    zones.add_text(f"s._domainkey.{domain}", f"v=DKIM1; p={body}")
    content = mail(f"x@{domain}", signature(domain, "s", 2048))
    assert delivered_beside(others_mail_passes, dialogue, f"x@{domain}", user, content) < 5
    assert b"dkim=pass" not in results(stored, user)


def test_200_signatures_are_not_all_verified(
    dialogue, make_user, zones, stored, others_mail_passes
) -> None:
    user, domain = make_user(), f"{unique('many')}.example"
    zones.add_text(domain, HERE)
    key = public(2048)
    for number in range(200):
        zones.add_text(f"s{number}._domainkey.{domain}", f"v=DKIM1; p={key}")
    fields = [signature(domain, f"s{number}") for number in range(200)]
    content = mail(f"x@{domain}", *fields)
    assert delivered_beside(others_mail_passes, dialogue, f"x@{domain}", user, content) < 5
    asked = {name for name, _ in zones.queries if "_domainkey" in name}
    assert len(asked) <= 20
    assert b"dkim=pass" not in results(stored, user)


def test_answers_that_never_come_are_not_waited_for_long(
    dialogue, make_user, zones, stored, others_mail_passes, monkeypatch
) -> None:
    monkeypatch.setattr(policing, "GATHER_SECONDS", 1.0)
    monkeypatch.setattr(judging, "JUDGING_SECONDS", 2.0)
    user, domain = make_user(), f"{unique('never')}.example"
    for name in (domain, f"_dmarc.{domain}", f"s._domainkey.{domain}"):
        zones.fail(name, "drop")
    content = mail(f"x@{domain}", signature(domain, "s"))
    assert delivered_beside(others_mail_passes, dialogue, f"x@{domain}", user, content) < 8
    found = results(stored, user)
    assert b"spf=temperror" in found
    assert b"dmarc=temperror" in found


@pytest.mark.parametrize("word", ["=", "v=DKIM1; p=" + "A" * 60_000, "v=spf1 " + "a " * 20_000])
def test_a_record_that_is_nonsense_harms_nothing(
    dialogue, make_user, zones, stored, others_mail_passes, word
) -> None:
    user, domain = make_user(), f"{unique('odd')}.example"
    for name in (domain, f"_dmarc.{domain}", f"s._domainkey.{domain}"):
        zones.add_text(name, word)
    content = mail(f"x@{domain}", signature(domain, "s"))
    assert delivered_beside(others_mail_passes, dialogue, f"x@{domain}", user, content) < 5
    assert b"=pass" not in results(stored, user)
