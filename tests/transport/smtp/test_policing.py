"""Policies at RCPT, over sockets: the lists, their hits, modes, and what no policy may touch."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.addresses import Address
from routing.policies import null_path
from routing.policies.framework import Decision, Facts, Policy
from routing.verdicts import Term
from tests.dns_server import DnsServer
from tests.factories import PASSWORD
from tests.transport.smtp.test_receiving import deliver
from transport.dns.resolver import resolver
from transport.smtp import policing


@pytest.fixture
def zones(settings: Any) -> Iterator[DnsServer]:
    with DnsServer() as server:
        settings.DNS_NAMESERVERS = (server.address,)
        resolver.cache_clear()
        yield server
    resolver.cache_clear()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policing, "REFRESH_SECONDS", 0.05)


@pytest.fixture
def listed(database: Any) -> Iterator[Callable[..., None]]:
    """Puts a sender on a list, for the test."""
    values: list[str] = []

    def put(kind: str, value: str, reason: str = "", until: str | None = None) -> None:
        values.append(value)
        database.execute(
            "INSERT INTO routing_listedsender (kind, value, reason, expires_at, created_at, changed_at) "
            "VALUES (%s, %s, %s, %s, now(), now())",
            (kind, value, reason, until),
        )

    yield put
    database.execute("DELETE FROM routing_listedsender WHERE value = ANY(%s)", (values,))


@pytest.fixture
def mode(database: Any) -> Iterator[Callable[[str, str], None]]:
    def put(name: str, word: str) -> None:
        database.execute(
            "INSERT INTO routing_policysetting (name, mode) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET mode = excluded.mode",
            (name, word),
        )

    yield put
    database.execute("DELETE FROM routing_policysetting")


def until(says: Callable[[], bool]) -> None:
    """The service follows the administrator within moments."""
    end = time.monotonic() + 10
    while not says():
        assert time.monotonic() < end
        time.sleep(0.05)


def rcpt(dialogue: Any, sender: str, *recipients: object) -> list[str]:
    dialogue.say("RSET")
    assert dialogue.say(f"MAIL FROM:<{sender}>").startswith("250")
    return [dialogue.say(f"RCPT TO:<{recipient}>") for recipient in recipients]


def test_a_blocked_sender_hears_why(dialogue, make_user, listed, database) -> None:
    user = make_user()
    listed("block", "spam.example", "you never stopped")
    listed("block", "gone.example", "long ago", "2001-01-01")
    until(lambda: "never" in rcpt(dialogue, "a@mail.spam.example", user.address)[0])
    [reply] = rcpt(dialogue, "a@mail.spam.example", user.address)
    assert reply == "550 5.7.1 blocked here: you never stopped"
    assert rcpt(dialogue, "a@notspam.example", user.address)[0].startswith("250")
    assert rcpt(dialogue, "a@gone.example", user.address)[0].startswith("250")

    def hits() -> int:
        [(count,)] = database.execute(
            "SELECT hits FROM routing_listedsender WHERE value = 'spam.example'"
        ).fetchall()
        return int(count)

    until(lambda: hits() >= 2)


def test_a_blocked_client_reaches_the_postmaster_all_the_same(
    dialogue, make_user, make_alias, listed
) -> None:
    user = make_user()
    make_alias(user, "postmaster", user.domain)
    listed("block", "127.0.0.1/32")
    until(lambda: rcpt(dialogue, "a@b.example", user.address)[0].startswith("550"))
    replies = rcpt(dialogue, "a@b.example", f"Postmaster@{user.domain.name}", user.address)
    assert [reply[:3] for reply in replies] == ["250", "550"]


def test_an_allowed_client_passes_the_block_of_its_sender(dialogue, make_user, listed) -> None:
    user = make_user()
    listed("block", "spam.example")
    until(lambda: rcpt(dialogue, "a@spam.example", user.address)[0].startswith("550"))
    listed("allow", "127.0.0.0/8")
    until(lambda: rcpt(dialogue, "a@spam.example", user.address)[0].startswith("250"))


def test_an_allowed_sender_has_to_prove_itself(dialogue, make_user, listed, zones) -> None:
    """Anybody can write a sender's name: without SPF's pass the block of the client holds."""
    user = make_user()
    zones.load({"true.example": {"TXT": ['"v=spf1 ip4:127.0.0.1 -all"']}})
    listed("allow", "true.example")
    listed("allow", "forged.example")
    listed("block", "127.0.0.1/32")
    until(lambda: rcpt(dialogue, "a@b.example", user.address)[0].startswith("550"))
    assert rcpt(dialogue, "a@forged.example", user.address)[0].startswith("550")
    assert rcpt(dialogue, "a@true.example", user.address)[0].startswith("250")


@pytest.mark.parametrize(
    ("author", "status"),
    [
        ("boss@true.example", "No, score=-100.0"),
        ("boss@other.example", "Yes, score=5.0"),
        ("joe@true.example", "No, score=0.0"),
    ],
)
def test_an_allowed_author_is_one_whom_dmarc_proves(
    dialogue, make_user, listed, zones, stored, server, author: str, status: str
) -> None:
    """The reverse-path is the listed one each time, and passes SPF."""
    user = make_user()
    for domain in ("true.example", "other.example"):
        zones.add_text(domain, "v=spf1 ip4:127.0.0.1 -all")
        zones.add_text(f"_dmarc.{domain}", "v=DMARC1; p=reject")
    listed("allow", "boss@true.example")
    until(lambda: server.service.policing.allows_author(Address("boss", "true.example")))
    sender = "boss@true.example" if "other" in author else author
    content = f"From: {author}\r\nSubject: x\r\n\r\nhi\r\n".encode()
    assert deliver(dialogue, sender, user.address, content=content).startswith("250")
    [message] = stored(user)
    assert f"X-Spam-Status: {status}".encode() in message


def test_a_policy_that_is_off_or_only_noted_refuses_nobody(
    dialogue, make_user, mode, database, server
) -> None:
    users = [make_user(), make_user()]
    addresses = [user.address for user in users]
    assert [reply[:3] for reply in rcpt(dialogue, "", *addresses)] == ["250", "452"]
    mode("null_path", "note")
    until(lambda: rcpt(dialogue, "", *addresses)[1].startswith("250"))
    [connection] = server.service.connections
    [term] = connection._transaction.terms
    assert (term.name, term.points) == ("NULL_PATH", 0.0)
    assert term.note.startswith("only noted: 452 4.5.3")
    database.execute("UPDATE routing_policysetting SET mode = 'off'")
    until(lambda: not _terms_of(dialogue, server, addresses))


def _terms_of(dialogue: Any, server: Any, addresses: list[Any]) -> list[Term]:
    rcpt(dialogue, "", *addresses)
    [connection] = server.service.connections
    return list(connection._transaction.terms)


def test_a_policy_that_fails_refuses_nobody(
    dialogue, make_user, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(facts: Facts) -> Decision:
        raise RuntimeError("of the test")

    monkeypatch.setattr(null_path, "POLICY", Policy("broken", "", broken))
    policing.policies.cache_clear()
    user = make_user()
    try:
        until(
            lambda: (
                rcpt(dialogue, "a@b.example", user.address)[0].startswith("250")
                and "policy null_path failed; it refuses nobody" in caplog.text
            )
        )
    finally:
        monkeypatch.undo()
        policing.policies.cache_clear()


def test_a_silent_dns_delays_nobody_without_need(dialogue, make_user, zones) -> None:
    zones.fail("silent.example", "DROP")
    started = time.monotonic()
    assert rcpt(dialogue, "a@silent.example", make_user().address)[0].startswith("250")
    assert time.monotonic() - started < 2


def test_transactions_given_up_do_not_heap_up_questions(
    dialogue, server, zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL and RSET in turns: what DNS does not answer is asked for one transaction of a connection at a time."""
    monkeypatch.setattr(policing, "GATHER_SECONDS", 0.3)
    names = [f"silent{number}.example" for number in range(8)]
    for name in names:
        zones.fail(name, "DROP")
    dialogue.send(b"".join(b"MAIL FROM:<a@%s>\r\nRSET\r\n" % name.encode() for name in names))
    for _ in names:
        assert [dialogue.reply()[:3], dialogue.reply()[:3]] == ["250", "250"]
        assert len(server.service.policing._tasks) <= len(policing.policies()["dnsbl"].needs) + 2


def test_a_policy_switched_on_after_mail_is_asked(
    dialogue, make_user, mode, server, database
) -> None:
    """What it needs was not gathered at MAIL."""
    user = make_user()
    modes = server.service.policing._mode

    def is_set(word: str) -> bool:
        return bool(modes("reverse_dns", policing.policies()["reverse_dns"]) == word)

    mode("reverse_dns", "off")
    until(lambda: is_set("off"))
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("250")
    mode("reverse_dns", "on")
    until(lambda: is_set("on"))
    assert dialogue.say(f"RCPT TO:<{user.address}>").startswith("250")


def test_logins_are_not_policed(server, make_user, listed, dialogue) -> None:
    user = make_user()
    listed("block", "127.0.0.1/32")
    until(lambda: rcpt(dialogue, "a@b.example", user.address)[0].startswith("550"))
    with server.logged_in(user.address, PASSWORD) as client:
        assert (
            client.sendmail(user.address, [user.address], f"From: {user.address}\r\n\r\nhi\r\n")
            == {}
        )


def test_a_reason_is_one_line_of_ascii(dialogue, make_user, listed) -> None:
    user = make_user()
    listed("block", "lines.example", "gesperrt für\r\n250 2.1.5 OK")
    # a test before may have blocked this client until a moment ago
    until(lambda: "gesperrt" in rcpt(dialogue, "a@lines.example", user.address)[0])
    [reply] = rcpt(dialogue, "a@lines.example", user.address)
    assert reply == "550 5.7.1 blocked here: gesperrt f?r??250 2.1.5 OK"


def test_the_trace_names_the_policy_that_refused(dialogue, make_user, listed, database) -> None:
    user = make_user()
    listed("block", "spam.example")
    until(lambda: rcpt(dialogue, "a@spam.example", user.address)[0].startswith("550"))

    def policies_of_refusals() -> list[str]:
        rows = database.execute(
            "SELECT DISTINCT detail ->> 'policy' FROM trace_event WHERE recipient = %s",
            (user.address,),
        )
        return [name for (name,) in rows.fetchall()]

    until(lambda: policies_of_refusals() == ["blocklist"])


def test_senders_of_our_own_domains_are_a_policy_like_others(
    dialogue, make_user, zones, mode, database
) -> None:
    user = make_user()
    zones.load({user.domain.name: {"TXT": ['"v=spf1 -all"']}})

    def says() -> str:
        dialogue.say("RSET")
        return str(dialogue.say(f"MAIL FROM:<{user.address}>"))

    assert says().startswith("550 5.7.1")
    mode("local_sender", "note")
    until(lambda: says().startswith("250"))
    dialogue.say_all(f"RCPT TO:<{user.address}>", "DATA")
    reply = dialogue.say(f"From: {user.address}\r\n\r\nx\r\n.")
    trace_id = reply.split()[-1]
    [(terms,)] = database.execute(
        "SELECT detail -> 'terms' FROM trace_event WHERE trace_id = %s AND step = 'verdict'",
        (trace_id,),
    ).fetchall()
    assert terms["LOCAL_SENDER"] == 0
    mode("local_sender", "off")
    until(lambda: says().startswith("250"))
    mode("local_sender", "on")
    until(lambda: says().startswith("550 5.7.1"))
