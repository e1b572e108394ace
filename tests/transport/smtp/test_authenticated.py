"""Who sent it, on port 25 over real sockets and a real DNS server: what DMARC asks for, what a local From may, what DNS's trouble does."""

import base64
import hashlib
import time
from collections.abc import Callable

import pytest

from accounts.directory import srs_address
from tests.dns_server import DnsServer
from tests.factories import unique
from tests.transport.smtp.test_judging import names, verdicts_of
from tests.transport.smtp.test_receiving import deliver
from transport.models import AllowedClient
from transport.smtp import judging

HERE = "v=spf1 ip4:127.0.0.1 -all"
ELSEWHERE = "v=spf1 ip4:192.0.2.1 -all"


def mail(author: str, *fields: str) -> bytes:
    """A message that no other test sends."""
    lines = [f"From: {author}", f"Subject: {unique('s')}", *fields, "", "Text.", ""]
    return "\r\n".join(lines).encode()


@pytest.fixture
def publish(zones: DnsServer) -> Callable[..., str]:
    """publish(spf, dmarc="") -> a domain with these records"""

    def add(spf: str, dmarc: str = "", domain: str = "") -> str:
        domain = domain or f"{unique('d')}.example"
        zones.add_text(domain, spf)
        if dmarc:
            zones.add_text(f"_dmarc.{domain}", f"v=DMARC1; {dmarc}")
        return domain

    return add


def test_one_field_says_who_sent_it_and_forged_ones_are_cut(
    dialogue, make_user, publish, stored
) -> None:
    user, domain = make_user(), publish(HERE, "p=reject")
    forged = "Authentication-Results: mx.example.test; dmarc=pass header.from=bank.example"
    other = "Authentication-Results: other.example; spf=fail"
    deliver(
        dialogue, f"a@{domain}", user.address, content=mail(f"a@{domain}", forged, other, "X: y")
    )
    [copy] = stored(user)
    assert copy.count(b"Authentication-Results: mx.example.test") == 1
    assert b"bank.example" not in copy
    assert other.encode() in copy
    field = copy[copy.index(b"Authentication-Results: mx") : copy.index(b"Received: ")]
    assert b"spf=pass" in field
    assert b"dmarc=pass" in field


@pytest.mark.parametrize(
    ("dmarc", "spf", "fields", "is_strict", "code", "folder"),
    [
        ("p=none", HERE, (), False, "250", "INBOX"),
        ("p=quarantine", HERE, (), False, "250", "Spam"),
        ("p=reject", HERE, (), False, "250", "Spam"),
        ("p=reject; t=y", HERE, (), False, "250", "INBOX"),
        ("p=reject", ELSEWHERE, (), False, "550 5.7.26", ""),
        ("p=reject", HERE, (), True, "550 5.7.26", ""),
        ("p=reject", HERE, ("List-Id: <l.example>",), False, "250", "Spam"),
        ("p=quarantine", ELSEWHERE, (), True, "250", "Spam"),
    ],
)
def test_what_the_authors_domain_asks_for(
    dialogue, make_user, publish, folders, dmarc, spf, fields, is_strict, code, folder
) -> None:
    user = make_user()
    user.domain.refuse_dmarc_failures = is_strict
    user.domain.save()
    author, sender = publish("v=spf1 -all", dmarc), publish(spf)
    content = mail(f"ceo@{author}", *fields)
    assert deliver(dialogue, f"a@{sender}", user.address, content=content).startswith(code)
    assert names(folders(user)) == ({folder: 1} if folder else {})


def test_one_strict_domain_refuses_for_nobody_else(dialogue, make_user, publish, folders) -> None:
    strict, other = make_user(), make_user()
    strict.domain.refuse_dmarc_failures = True
    strict.domain.save()
    author, sender = publish("v=spf1 -all", "p=reject"), publish(HERE)
    reply = deliver(
        dialogue, f"a@{sender}", strict.address, other.address, content=mail(f"x@{author}")
    )
    assert reply.startswith("250 ")
    assert names(folders(strict)) == names(folders(other)) == {"Spam": 1}


@pytest.mark.parametrize("fault", ["SERVFAIL", "drop"])
def test_trouble_of_dns_speaks_neither_for_nor_against(
    dialogue, make_user, publish, zones, folders, monkeypatch, fault
) -> None:
    monkeypatch.setattr(judging, "JUDGING_SECONDS", 3.0)
    user = make_user()
    user.domain.refuse_dmarc_failures = True
    user.domain.save()
    author, sender = publish("v=spf1 -all", "p=reject"), publish(HERE)
    zones.fail(f"_dmarc.{author}", fault)
    began = time.monotonic()
    reply = deliver(dialogue, f"a@{sender}", user.address, content=mail(f"ceo@{author}"))
    assert reply.startswith("250 ")
    assert time.monotonic() - began < 5
    [copy] = folders(user)["INBOX"]
    assert b"dmarc=temperror" in copy


@pytest.mark.parametrize(
    ("step", "note"),
    [("authenticate", "authentication failed"), ("results_field", "judging failed")],
)
def test_a_step_that_fails_stops_no_mail(
    dialogue, make_user, publish, folders, database, monkeypatch, step, note
) -> None:
    async def fail_at_once(*arguments: object) -> None:
        raise ZeroDivisionError

    def fail(*arguments: object, **more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(judging, step, fail_at_once if step == "authenticate" else fail)
    user, domain = make_user(), publish(HERE, "p=reject")
    reply = deliver(dialogue, f"a@{domain}", user.address, content=mail(f"a@{domain}"))
    assert reply.startswith("250 ")
    assert names(folders(user)) == {"INBOX": 1}
    assert note in verdicts_of(database, user)[0][1]


# an author of ours, from outside


def test_a_local_author_without_a_pass_goes_to_spam(
    dialogue, make_user, publish, folders, database
) -> None:
    user, boss = make_user(), make_user()
    sender = publish(HERE)
    deliver(dialogue, f"a@{sender}", user.address, content=mail(boss.address))
    assert names(folders(user)) == {"Spam": 1}
    assert "LOCAL_FROM" in verdicts_of(database, user)[0][1]


def test_a_signer_whose_dns_is_silent_hides_no_forged_author(
    dialogue, make_user, publish, zones, folders, monkeypatch
) -> None:
    monkeypatch.setattr(judging, "JUDGING_SECONDS", 2.5)
    user, signer = make_user(), f"{unique('d')}.example"
    zones.fail(f"s._domainkey.{signer}", "drop")
    body = base64.b64encode(hashlib.sha256(b"Text.\r\n").digest()).decode()
    field = f"DKIM-Signature: v=1; a=rsa-sha256; d={signer}; s=s; h=from; bh={body}; b=AAAA"
    sender = publish(HERE)
    deliver(dialogue, f"a@{sender}", user.address, content=mail(user.address, field))
    [copy] = folders(user)["Spam"]
    assert b"dkim=temperror" in copy


def test_a_local_author_with_a_pass_goes_through(dialogue, make_user, publish, folders) -> None:
    user = make_user()
    publish(HERE, domain=user.domain.name)
    deliver(dialogue, user.address, user.address, content=mail(user.address))
    assert names(folders(user)) == {"INBOX": 1}


@pytest.mark.parametrize(("spf", "folder"), [(HERE, "INBOX"), (ELSEWHERE, "Spam")])
def test_a_list_brings_local_authors_back_where_somebody_answers_for_it(
    dialogue, make_user, publish, folders, spf, folder
) -> None:
    user = make_user()
    content = mail(user.address, "List-Id: <l.lists.example>")
    deliver(dialogue, f"l-bounces@{publish(spf)}", user.address, content=content)
    assert names(folders(user)) == {folder: 1}


def test_what_we_forwarded_ourselves_is_ours(dialogue, make_user, zones, folders, database) -> None:
    user = make_user()
    ours = srs_address(database, user.domain.name, f"{unique('p')}@elsewhere.example")
    deliver(dialogue, str(ours), user.address, content=mail(user.address))
    assert names(folders(user)) == {"INBOX": 1}


def test_a_client_of_ours_may_name_our_authors(dialogue, make_user, zones, folders, orm) -> None:
    user = make_user()
    allowed = AllowedClient.objects.create(network="127.0.0.1/32")
    try:
        deliver(dialogue, "a@s.example", user.address, content=mail(user.address))
    finally:
        allowed.delete()
    assert names(folders(user)) == {"INBOX": 1}
