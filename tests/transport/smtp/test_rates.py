"""Rates over processes, greylisting, and both at RCPT over a socket."""

from typing import Any

import pytest

from accounts.addresses import Address
from routing.evidence import SpfEvidence
from routing.policies import client_rate, framework, greylisting
from tests.factories import unique
from tests.routing.policies.facts import facts
from tests.transport.smtp.test_policing import mode, rcpt, until  # noqa: F401
from transport.smtp import policing, rates
from transport.smtp.greylist import forget_old_triplets, greylisted_seconds
from transport.smtp.rates import RateCounts, add_counts, forget_old_counts

HOUR = 3600


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The time of day, as the counts see it: the beginning of an hour, and what a test adds."""

    class Clock:
        now = 500_000 * HOUR

        def time(self) -> float:
            return float(self.now)

    clock = Clock()
    monkeypatch.setattr(rates, "time", clock)
    return clock


def flush(database: Any, *processes: RateCounts) -> None:
    for process in processes:
        process.learn(add_counts(database, process.take()))


def test_two_processes_count_together(database, clock) -> None:
    one, other = RateCounts(), RateCounts()
    client, recipient = "198.51.100.7", Address(unique("r"), "here.test")
    for _ in range(3):
        one.count(client, None, recipient)
        other.count(client, Address("a", "b.test"), recipient)
    assert one.rates(client, None, recipient).recipient == 3
    flush(database, one, other)
    other.count(client, None, recipient)
    assert other.rates(client, None, recipient).recipient == 7
    assert one.rates(client, None, recipient).sender == 0
    assert other.rates(client, Address("A", "b.test"), recipient).sender >= 3


def test_the_hour_before_counts_in_part(database, clock) -> None:
    counts, recipient = RateCounts(), Address(unique("r"), "here.test")

    def rate() -> float:
        return counts.rates("198.51.100.8", None, recipient).recipient

    for _ in range(8):
        counts.count("198.51.100.8", None, recipient)
    flush(database, counts)
    clock.now += HOUR
    assert rate() == 8
    clock.now += HOUR // 2
    assert rate() == 4
    counts.count("198.51.100.8", None, recipient)
    flush(database, counts)
    assert rate() == 5
    clock.now += HOUR
    assert rate() == 0.5
    clock.now += 2 * HOUR
    assert rate() == 0
    forget_old_counts(database)
    assert database.execute("SELECT count(*) FROM routing_rate").fetchone() == (0,)


def test_an_ipv6_64_is_one_client(clock) -> None:
    counts, recipient = RateCounts(), Address("r", "here.test")
    counts.count("2001:db8::1", None, recipient)
    assert counts.rates("2001:db8::ffff", None, Address("x", "y.test")).client == 1
    assert counts.rates("2001:db8:0:1::1", None, Address("x", "y.test")).client == 0


def test_counts_are_bounded_and_survive_a_failure(clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "KEYS_MAXIMUM", 10)
    counts = RateCounts()
    for number in range(50):
        counts.count("198.51.100.9", None, Address(str(number), "here.test"))
    taken = counts.take()
    assert len(taken) == 10
    counts.give_back(taken)
    assert counts.rates("198.51.100.9", None, Address("0", "here.test")).client == 50


def test_a_limit_is_met_by_strangers_only() -> None:
    over = framework.Rates(client=3000)
    assert client_rate.judge(facts(rates=over, number=3000)).reply.startswith("450 4.7.1")
    assert client_rate.judge(facts(rates=over, number=3001)).reply == ""
    assert client_rate.judge(facts(rates=over, number=1, client_address="10.0.0.1")).reply == ""


def test_a_limit_is_set_in_the_admin_and_holds_at_rcpt(
    dialogue, make_user, database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framework, "_LOCAL", ())
    monkeypatch.setattr(policing, "REFRESH_SECONDS", 0.05)
    database.execute("UPDATE routing_dnsblzone SET is_active = false")
    database.execute(
        "INSERT INTO routing_policysetting (name, mode, number) VALUES ('recipient_rate', 'on', 2) "
        "ON CONFLICT (name) DO UPDATE SET mode = 'on', number = 2"
    )
    try:
        user = make_user()

        def sent(user: Any) -> str:
            [reply] = rcpt(dialogue, "a@b.example", user.address)
            if not reply.startswith("250"):
                return str(reply)
            dialogue.say("DATA")
            return str(dialogue.say(f"From: a@b.example\r\nSubject: {unique('x')}\r\n\r\nhi\r\n."))

        until(lambda: sent(user).startswith("450 4.2.1"))
        other = make_user()
        for _ in range(5):  # what is only tried counts for nothing
            assert rcpt(dialogue, "a@b.example", other.address)[0].startswith("250")
        assert [sent(other)[:3] for _ in range(3)] == ["250", "250", "450"]
    finally:
        database.execute("DELETE FROM routing_policysetting")
        database.execute("UPDATE routing_dnsblzone SET is_active = true")


# Greylisting


def wait(
    database: Any, client: str, sender: str, *, spf: str = "none", seconds: float = 300
) -> float:
    evidence = SpfEvidence(spf, "b.test")  # type: ignore[arg-type]
    return greylisted_seconds(
        database, client, evidence, Address(sender, "b.test"), Address("r", "here.test"), seconds
    )


def age(database: Any, sender: str, interval: str) -> None:
    """Let time pass."""
    database.execute(
        "UPDATE routing_greylist SET first_at = first_at - %s::interval, last_at = last_at - %s::interval "
        "WHERE sender = %s",
        (interval, interval, f"{sender}@b.test"),
    )


def test_a_triplet_that_comes_back_in_time_is_known(database) -> None:
    sender = unique("s")
    assert 299 <= wait(database, "192.0.2.1", sender) <= 300
    assert 0 < wait(database, "192.0.2.1", sender) <= 300
    age(database, sender, "301 s")
    assert wait(database, "192.0.2.200", sender) == 0  # another host of the network
    assert wait(database, "192.0.2.1", sender, seconds=9999) == 0
    assert wait(database, "198.51.100.1", sender) > 0


def test_a_triplet_that_comes_back_too_late_begins_anew(database) -> None:
    sender = unique("s")
    wait(database, "192.0.2.1", sender)
    age(database, sender, "3 days")
    assert wait(database, "192.0.2.1", sender) > 299


def test_a_providers_hosts_are_one_client(database) -> None:
    sender = unique("s")
    wait(database, "192.0.2.1", sender, spf="pass")
    age(database, sender, "301 s")
    assert wait(database, "2001:db8::1", sender, spf="pass") == 0
    assert wait(database, "2001:db8::1", sender, spf="fail") > 0


def test_a_client_whose_mail_came_back_is_known(database) -> None:
    for _ in range(5):
        sender = unique("s")
        wait(database, "100.100.1.1", sender)
        age(database, sender, "301 s")
        assert wait(database, "100.100.1.1", sender) == 0
    assert wait(database, "100.100.1.77", unique("new")) == 0


def test_old_triplets_are_forgotten(database) -> None:
    kept, once, old = unique("s"), unique("s"), unique("s")
    for sender in (kept, old):
        wait(database, "192.0.2.1", sender)
        age(database, sender, "301 s")
        wait(database, "192.0.2.1", sender)
    wait(database, "192.0.2.1", once)
    age(database, once, "3 days")
    age(database, kept, "30 days")
    age(database, old, "40 days")
    forget_old_triplets(database)
    found = database.execute(
        "SELECT sender FROM routing_greylist WHERE sender = ANY(%s)",
        ([f"{sender}@b.test" for sender in (kept, once, old)],),
    ).fetchall()
    assert found == [(f"{kept}@b.test",)]


def test_the_reply_says_how_long() -> None:
    assert greylisting.judge(facts(greylisted_seconds=61)).reply.endswith("try again in 2 min")
    assert greylisting.judge(facts(greylisted_seconds=0)).reply == ""
    assert greylisting.judge(facts()).reply == ""


def test_greylisting_at_rcpt_once_it_is_on(
    dialogue,
    make_user,
    mode,  # noqa: F811
    database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (framework, policing):
        monkeypatch.setattr(module, "is_local", lambda client_address: False)
    monkeypatch.setattr(policing, "REFRESH_SECONDS", 0.05)
    user = make_user()
    assert rcpt(dialogue, "a@b.test", user.address)[0].startswith("250")
    mode("greylisting", "on")
    sender = unique("s")
    until(lambda: rcpt(dialogue, f"{sender}@b.test", user.address)[0].startswith("451 4.7.1"))
    age(database, sender, "301 s")
    assert rcpt(dialogue, f"{sender}@b.test", user.address)[0].startswith("250")
