"""Records that are nonsense, on port 25: each message gets its reply in bounded time, and others' mail goes through."""

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.factories import unique
from tests.transport.smtp import test_attacks
from tests.transport.smtp.test_authenticated import mail
from tests.transport.smtp.test_receiving import deliver

BODY_HASH = base64.b64encode(hashlib.sha256(b"Text.\r\n").digest()).decode()

others_mail_passes = test_attacks.others_mail_passes


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
