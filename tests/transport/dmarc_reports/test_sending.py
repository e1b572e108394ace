"""Reports from counted messages to the queue: once, to those who want them, tried again after trouble."""

import asyncio
import gzip
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from typing import Any

import psycopg
import pytest

from routing.evidence import Authentication, DkimEvidence, DmarcEvidence, SpfEvidence
from tests.dns_server import DnsServer
from tests.factories import MakeDomain, unique
from tests.transport.authentication.zone import Zone, text
from transport import tasks
from transport.authentication.dmarc_records import DnsTrouble, parse_record
from transport.authentication.signatures import verify_dkim
from transport.dmarc_reports.destinations import destinations
from transport.dmarc_reports.sending import send_reports
from transport.dmarc_reports.tallies import Tallies, Tally, tally_of, write_tallies
from transport.dns.resolver import Resolver
from transport.signing_keys import dns_records

Database = psycopg.Connection[tuple[Any, ...]]

DAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def tally(policy_domain: str, **changes: Any) -> Tally:
    facts = {
        "policy_domain": policy_domain,
        "source_address": "192.0.2.1",
        "header_from": policy_domain,
        "envelope_from": policy_domain,
        "disposition": "none",
        "dkim_aligned": True,
        "spf_aligned": False,
        "spf_result": "fail",
        "signatures": (("example.org", "s", "pass"),),
    }
    return Tally(**(facts | changes))


@pytest.fixture
def domain() -> str:
    """A stranger's."""
    return f"{unique('p')}.example"


@pytest.fixture
def sender(make_domain: MakeDomain) -> str:
    return f"dmarc-reports@{make_domain().name}"


def queued(database: Database, domain: str) -> list[tuple[str, bytes]]:
    """(recipient, message) of what waits, where a report of this domain is in it."""
    rows = database.execute(
        "SELECT r.forward_path, m.prefix || b.content FROM transport_queuedrecipient r"
        " JOIN transport_queuedmessage m ON m.id = r.message_id JOIN mail_blob b ON b.id = m.blob_id"
        " WHERE m.reverse_path = '' ORDER BY r.id"
    ).fetchall()
    return [(path, bytes(content)) for path, content in rows if domain.encode() in bytes(content)]


def left(database: Database, domain: str) -> int:
    row = database.execute(
        "SELECT coalesce(sum(count), 0) FROM transport_dmarctally WHERE policy_domain = %s",
        (domain,),
    ).fetchone()
    assert row
    return int(row[0])


def zone(domain: str, record: str = "v=DMARC1; p=none; rua=mailto:r@{}", **more: Any) -> Zone:
    value = text(record.replace("{}", domain))
    return Zone({f"_dmarc.{domain}": {"TXT": [value]}}, **more)


def counted(database: Database, domain: str, day: date = DAY) -> None:
    write_tallies(database, Counter({(day, tally(domain)): 3}))


class TestCounting:
    def test_adds_up_over_processes(self, database: Database, domain: str) -> None:
        other = tally(domain, source_address="2001:db8::1")
        for _ in range(2):
            write_tallies(database, Counter({(DAY, tally(domain)): 3, (DAY, other): 1}))
        assert left(database, domain) == 8
        rows = database.execute(
            "SELECT count FROM transport_dmarctally WHERE policy_domain = %s ORDER BY count", (domain,)
        ).fetchall()  # fmt: skip
        assert rows == [(2,), (6,)]

    def test_keeps_what_could_not_be_written(self, database: Database, domain: str) -> None:
        tallies = Tallies()
        tallies.add(tally(domain))
        tallies.add(tally(domain))
        closed = psycopg.connect(database.info.dsn, password=database.info.password)
        closed.close()
        with pytest.raises(psycopg.OperationalError):
            tallies.write(closed)
        tallies.write(database)
        tallies.write(database)
        assert left(database, domain) == 2

    def test_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("transport.dmarc_reports.tallies.KEPT_MAXIMUM", 2)
        tallies = Tallies()
        for number in range(5):
            tallies.add(tally(f"{number}.example"))
            tallies.add(tally("0.example"))
        assert sum(tallies._counts.values()) == 7

    def test_writers_do_not_block_each_other_for_ever(
        self, database: Database, domain: str
    ) -> None:
        rows = [(DAY, tally(domain, source_address=f"192.0.2.{n}")) for n in range(100)]

        def write(order: int) -> None:
            with psycopg.connect(database.info.dsn, password=database.info.password) as db:
                for _ in range(10):
                    write_tallies(db, Counter(rows[::order]))
                    db.commit()

        threads = [threading.Thread(target=write, args=(order,)) for order in (1, -1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert left(database, domain) == 2000

    @pytest.mark.parametrize(
        ("dmarc", "is_counted"),
        [
            (DmarcEvidence("pass", "a.example.com", "reject", "example.com", ("spf",)), True),
            (DmarcEvidence("fail", "a.example.com", "reject", "example.com"), True),
            (DmarcEvidence("temperror", "a.example.com", "none", "example.com"), False),
            (DmarcEvidence("none", "a.example.com"), False),
        ],
    )
    def test_is_of_messages_that_a_record_speaks_of(
        self, dmarc: DmarcEvidence, is_counted: bool
    ) -> None:
        evidence = Authentication(
            SpfEvidence("pass", "b.example.com"),
            (DkimEvidence("fail", "example.net", "s"), DkimEvidence("permerror", "")),
            dmarc=dmarc,
        )
        found = tally_of(evidence, "192.0.2.1", "quarantine", "local_policy")
        assert (found is not None) is is_counted
        if found and dmarc.result == "pass":
            assert found == Tally(
                "example.com", "192.0.2.1", "a.example.com", "b.example.com", "quarantine",
                False, True, "pass", (("example.net", "s", "fail"),), "local_policy",
            )  # fmt: skip


class TestSending:
    def test_sends_a_signed_report_once(self, database: Database, domain: str, sender: str) -> None:
        counted(database, domain)
        hops = send_reports(database, sender, zone(domain), NOW)
        assert domain in hops
        [(recipient, content)] = queued(database, domain)
        assert recipient == f"r@{domain}"
        assert left(database, domain) == 0
        assert send_reports(database, sender, zone(domain), NOW) == []
        message = message_from_bytes(content)
        attachment: Any = message.get_payload()[1]  # type: ignore[index]
        xml = gzip.decompress(attachment.get_payload(decode=True))
        assert b"<count>3</count>" in xml
        key, _ = dns_records(database, sender.partition("@")[2])
        keys = Zone({key.name: {"TXT": [text(key.value)]}})
        [evidence] = asyncio.run(verify_dkim(content, keys))
        assert (evidence.result, evidence.domain) == ("pass", sender.partition("@")[2])

    def test_goes_out_over_a_real_dns_server(
        self, database: Database, domain: str, sender: str
    ) -> None:
        counted(database, domain)
        with DnsServer(zone(domain).records) as server:
            send_reports(database, sender, Resolver([server.address]).look_up_async, NOW)
        assert [recipient for recipient, _ in queued(database, domain)] == [f"r@{domain}"]

    def test_today_is_not_over(self, database: Database, domain: str, sender: str) -> None:
        counted(database, domain, NOW.date())
        send_reports(database, sender, zone(domain), NOW)
        assert left(database, domain) == 3
        send_reports(database, sender, zone(domain), NOW + timedelta(days=1))
        assert left(database, domain) == 0

    @pytest.mark.parametrize("record", ["v=DMARC1; p=reject", "v=spf1 -all"])
    def test_who_wants_none_gets_none(
        self, database: Database, domain: str, sender: str, record: str
    ) -> None:
        counted(database, domain)
        send_reports(database, sender, zone(domain, record), NOW)
        assert (left(database, domain), queued(database, domain)) == (0, [])

    def test_waits_for_dns_but_not_for_ever(
        self, database: Database, domain: str, sender: str
    ) -> None:
        counted(database, domain)
        trouble = zone(domain, broken=[f"_dmarc.{domain}"])
        send_reports(database, sender, trouble, NOW)
        assert left(database, domain) == 3
        send_reports(database, sender, trouble, NOW + timedelta(days=5))
        assert left(database, domain) == 0

    def test_off_sends_nothing_and_forgets(self, database: Database, domain: str) -> None:
        counted(database, domain)
        assert send_reports(database, "", zone(domain), NOW) == []
        assert left(database, domain) == 3
        send_reports(database, "", zone(domain), NOW + timedelta(days=5))
        assert (left(database, domain), queued(database, domain)) == (0, [])

    def test_nothing_leaves_from_a_domain_that_is_not_ours(
        self, database: Database, domain: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        counted(database, domain)
        assert send_reports(database, "a@stranger.example", zone(domain), NOW) == []
        assert left(database, domain) == 3
        assert "not in a domain of this server" in caplog.text

    def test_one_that_fails_holds_up_no_other(
        self, database: Database, domain: str, sender: str
    ) -> None:
        counted(database, domain)
        broken = f"a{domain}"
        counted(database, broken)
        database.execute(
            "UPDATE transport_dmarctally SET facts = '{}' WHERE policy_domain = %s", (broken,)
        )
        both = Zone(zone(domain).records | zone(broken).records)
        send_reports(database, sender, both, NOW)
        assert (left(database, broken), left(database, domain)) == (3, 0)
        assert [recipient for recipient, _ in queued(database, domain)] == [f"r@{domain}"]
        database.execute("DELETE FROM transport_dmarctally WHERE policy_domain = %s", (broken,))

    def test_two_workers_send_it_once(self, database: Database, domain: str, sender: str) -> None:
        counted(database, domain)
        together = threading.Barrier(2)

        def send() -> None:
            asked = zone(domain)
            waited: list[str] = []

            async def look_up(name: str, record_type: str) -> Any:
                if not waited:
                    waited.append(name)
                    await asyncio.to_thread(together.wait, 20)
                return await asked(name, record_type)

            with psycopg.connect(
                database.info.dsn, password=database.info.password, autocommit=True
            ) as db:
                send_reports(db, sender, look_up, NOW)

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(queued(database, domain)) == 1

    def test_the_worker_s_task(
        self, database: Database, domain: str, sender: str, settings: Any
    ) -> None:
        settings.DMARC_REPORTS_FROM = sender
        counted(database, domain)
        assert "transport.send_dmarc_reports" in [
            entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()
        ]
        tasks.send_dmarc_reports()  # the tests' DNS knows no record
        assert left(database, domain) == 0


class TestDestinations:
    def find(self, rua: str, **records: str) -> tuple[str, ...]:
        record = parse_record("example.com", f"v=DMARC1; rua={rua}")
        assert record
        zone = Zone(
            {"_dmarc.example.com": {"TXT": ['"v=DMARC1"']}}
            | {name: {"TXT": [text(value)]} for name, value in records.items()}
        )
        return asyncio.run(destinations(record, zone))

    @pytest.mark.parametrize(
        ("rua", "found"),
        [
            ("mailto:a@example.com", ("a@example.com",)),
            ("mailto:a@mail.example.com!10m,MAILTO:b@example.com?x=y", ("a@mail.example.com", "b@example.com")),
            ("mailto:a%2Bb@example.com, mailto:a%2Bb@example.com", ("a+b@example.com",)),
            ("https://example.com/x,mailto:,mailto:@,mailto:a b@example.com", ()),
            ("mailto:a@other.example", ()),
        ],
    )  # fmt: skip
    def test_are_addresses_of_the_same_organization(self, rua: str, found: tuple[str, ...]) -> None:
        assert self.find(rua) == found

    def test_of_others_need_their_word(self) -> None:
        agreed = {"example.com._report._dmarc.other.example": "v=DMARC1;"}
        assert self.find("mailto:a@other.example", **agreed) == ("a@other.example",)

    def test_of_others_may_be_changed_by_them_at_home_only(self) -> None:
        name = "example.com._report._dmarc.other.example"
        home = {name: "v=DMARC1; rua=mailto:b@other.example"}
        away = {name: "v=DMARC1; rua=mailto:victim@third.example"}
        assert self.find("mailto:a@other.example", **home) == ("b@other.example",)
        assert self.find("mailto:a@other.example", **away) == ()

    def test_are_few(self) -> None:
        assert len(self.find(",".join(f"mailto:{n}@example.com" for n in range(99)))) == 5

    def test_trouble_is_told(self) -> None:
        record = parse_record("example.com", "v=DMARC1; rua=mailto:a@other.example")
        assert record
        zone = Zone({}, broken=["example.com._report._dmarc.other.example"])
        with pytest.raises(DnsTrouble):
            asyncio.run(destinations(record, zone))
