"""DMARC by RFC 9989: the record, the walk, alignment, the policy, and trouble."""

import asyncio
import time

import pytest

from routing.evidence import DkimEvidence, DmarcEvidence, SpfEvidence
from tests.dns_server import DnsServer
from tests.transport.authentication.zone import Zone, text
from transport.authentication.dmarc import author_domains, evaluate_dmarc
from transport.authentication.dmarc_records import Record, Tree, names_above, parse_record
from transport.dns.resolver import Resolver

NO_SPF = SpfEvidence("none")
PASS = SpfEvidence("pass", "example.org")


def zone_of(**records: str) -> Zone:
    """A zone of DMARC records: `example_org="v=DMARC1..."` stands at _dmarc.example.org."""
    return Zone(
        {f"_dmarc.{name.replace('_', '.')}": {"TXT": [text(value)]} for name, value in records.items()}
    )  # fmt: skip


def judge(
    zone: Zone, author: str, spf: SpfEvidence = NO_SPF, *signers: str, result: str = "pass"
) -> DmarcEvidence:
    dkim = [DkimEvidence(result, domain) for domain in signers]
    return asyncio.run(evaluate_dmarc((author,), spf, dkim, zone))


class TestTheRecord:
    def test_has_defaults(self) -> None:
        assert parse_record("example.org", "v=DMARC1") == Record("example.org")

    def test_reads_its_tags(self) -> None:
        record = parse_record(
            "example.org",
            "v = DMARC1 ; p=reject; sp = quarantine;np=none; adkim=s; aspf=s; psd=n; t=y;"
            "rua=mailto:a@example.org,mailto:b@example.org!10m; pct=1; unknown=x; rubbish",
        )
        assert record == Record(
            "example.org", "reject", "quarantine", "none", "n", True, True, True,
            ("mailto:a@example.org", "mailto:b@example.org!10m"),
        )  # fmt: skip

    @pytest.mark.parametrize(
        "record",
        [
            "",
            "v=DMARC2; p=none",
            "v=dmarc1; p=none",
            "p=none; v=DMARC1",
            "v=DMARC12",
            "v=spf1 -all",
        ],
    )
    def test_is_none_without_the_version_first(self, record: str) -> None:
        assert parse_record("example.org", record) is None

    def test_is_none_when_it_is_huge(self) -> None:
        assert parse_record("example.org", "v=DMARC1; p=reject;" + "x=y;" * 2000) is None

    @pytest.mark.parametrize(
        ("record", "missing"),
        [("p=reject", "reject"), ("p=reject; sp=none", "none"), ("sp=quarantine", "quarantine")],
    )
    def test_gives_missing_names_what_subdomains_have(self, record: str, missing: str) -> None:
        found = parse_record("example.org", f"v=DMARC1; {record}")
        assert found
        assert found.missing == missing

    def test_with_an_unknown_policy_is_none_when_it_asks_for_reports_or_else_broken(self) -> None:
        asks = parse_record("a", "v=DMARC1; p=monitor; sp=reject; rua=mailto:a@example.org")
        broken = parse_record("a", "v=DMARC1; p=monitor")
        assert asks
        assert (asks.policy, asks.subdomains, asks.is_broken) == ("none", "none", False)
        assert broken
        assert broken.is_broken


class TestTheWalk:
    def test_asks_at_most_eight_times(self) -> None:
        zone = Zone({})
        asyncio.run(Tree(zone).walk(".".join("abcdefghijklmnopqrstuvwxyz")))
        assert [name for name, _ in zone.asked] == [
            "_dmarc." + ".".join("abcdefghijklmnopqrstuvwxyz"[start:])
            for start in (0, 19, 20, 21, 22, 23, 24, 25)
        ]

    @pytest.mark.parametrize(
        ("domain", "above"),
        [
            ("com", []),
            ("example.com", ["com"]),
            ("a.mail.example.com", ["mail.example.com", "example.com", "com"]),
            ("a.b.c.d.e.f.g.h", ["b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"]),
        ],
    )  # fmt: skip
    def test_goes_up_to_one_label(self, domain: str, above: list[str]) -> None:
        assert names_above(domain) == above

    @pytest.mark.parametrize(
        ("records", "domain", "organization"),
        [
            ({}, "a.mail.example.com", "a.mail.example.com"),
            ({"mail_example_com": "p=none", "example_com": "p=none"}, "a.mail.example.com", "example.com"),
            ({"mail_example_com": "psd=n", "example_com": "p=none"}, "a.mail.example.com", "mail.example.com"),
            ({"com": "psd=y"}, "a.mail.example.com", "example.com"),
            ({"com": "psd=y", "example_com": "p=none"}, "a.mail.example.com", "example.com"),
            ({"bank_example": "psd=y; p=reject"}, "bank.example", "bank.example"),
            ({"bank_example": "psd=y"}, "my.bank.example", "my.bank.example"),
            ({"co_uk": "psd=y", "uk": "psd=y"}, "x.co.uk", "x.co.uk"),
        ],
    )  # fmt: skip
    def test_finds_the_organizational_domain(
        self, records: dict[str, str], domain: str, organization: str
    ) -> None:
        zone = zone_of(**{name: f"v=DMARC1; {value}" for name, value in records.items()})
        assert asyncio.run(Tree(zone).organizational_domain(domain)) == organization

    def test_takes_two_records_for_none(self) -> None:
        zone = Zone({"_dmarc.example.org": {"TXT": ['"v=DMARC1; p=reject"', '"v=DMARC1; p=none"']}})
        assert judge(zone, "example.org").result == "none"

    def test_looks_past_records_that_are_of_something_else(self) -> None:
        zone = Zone({"_dmarc.example.org": {"TXT": ['"v=spf1 -all"', '"v=DMARC1; p=reject"']}})
        assert judge(zone, "example.org").policy == "reject"


class TestAlignment:
    def test_the_same_domain_passes_without_a_walk(self) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject")
        found = judge(zone, "example.org", PASS, "example.org")
        assert found == DmarcEvidence(
            "pass", "example.org", "reject", "example.org", ("spf", "dkim")
        )
        assert zone.asked == [("_dmarc.example.org", "TXT")]

    @pytest.mark.parametrize("signer", ["mail.example.org", "example.org", "other.example.org"])
    def test_is_relaxed(self, signer: str) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject")
        assert judge(zone, "news.example.org", NO_SPF, signer).aligned == ("dkim",)

    @pytest.mark.parametrize("tag", ["adkim=s", "aspf=s"])
    def test_is_strict_by_method(self, tag: str) -> None:
        zone = zone_of(example_org=f"v=DMARC1; p=reject; {tag}")
        spf = SpfEvidence("pass", "bounces.example.org")
        found = judge(zone, "example.org", spf, "mail.example.org")
        assert found.aligned == (("spf",) if tag == "adkim=s" else ("dkim",))

    @pytest.mark.parametrize(
        ("author", "signer"),
        [
            ("example.org", "example.com"),
            ("example.org", "notexample.org"),
            ("one.example", "two.example"),
            ("a.bank.example", "b.bank.example"),
        ],
    )
    def test_is_not_with_a_neighbour(self, author: str, signer: str) -> None:
        zone = zone_of(
            example="v=DMARC1; p=reject; psd=y",
            bank_example="v=DMARC1; p=reject; psd=y",
            example_org="v=DMARC1; p=reject",
        )
        assert judge(zone, author, NO_SPF, signer).result == "fail"

    def test_is_not_with_a_part_that_is_its_own_organization(self) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject", own_example_org="v=DMARC1; psd=n")
        assert judge(zone, "example.org", NO_SPF, "own.example.org").result == "fail"

    @pytest.mark.parametrize("result", ["fail", "policy", "neutral", "permerror"])
    def test_needs_a_pass(self, result: str) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject")
        assert judge(zone, "example.org", NO_SPF, "example.org", result=result).result == "fail"

    def test_spf_softfail_is_no_pass(self) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject")
        assert judge(zone, "example.org", SpfEvidence("softfail", "example.org")).result == "fail"

    def test_a_domain_is_compared_as_a_labels(self) -> None:
        content = "From: Über <a@BÜCHER.example>\r\n\r\n".encode()
        zone = zone_of(**{"xn--bcher-kva_example": "v=DMARC1; p=reject"})
        found = asyncio.run(
            evaluate_dmarc(
                author_domains(content),
                NO_SPF,
                [DkimEvidence("pass", "xn--bcher-kva.example")],
                zone,
            )
        )
        assert found.result == "pass"


class TestThePolicy:
    RECORD = "v=DMARC1; p=none; sp=quarantine; np=reject"

    def judge_below(self, zone: Zone, author: str) -> str:
        return judge(zone, author).policy

    def test_is_p_for_the_domain_itself(self) -> None:
        assert judge(zone_of(example_org=self.RECORD), "example.org").policy == "none"

    def test_is_sp_for_a_name_below_that_exists(self) -> None:
        zone = Zone(
            {
                "_dmarc.example.org": {"TXT": [f'"{self.RECORD}"']},
                "a.example.org": {"AAAA": ["2001:db8::1"]},
            }
        )
        assert judge(zone, "a.example.org").policy == "quarantine"

    def test_is_np_for_a_name_below_that_does_not(self) -> None:
        assert judge(zone_of(example_org=self.RECORD), "a.example.org").policy == "reject"

    def test_is_none_in_a_test(self) -> None:
        assert judge(zone_of(example_org="v=DMARC1; p=reject; t=y"), "example.org").policy == "none"

    def test_does_not_throw_dice(self) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject; pct=0")
        assert judge(zone, "example.org").policy == "reject"

    def test_is_of_the_organization_not_of_what_lies_between(self) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject", b_example_org="v=DMARC1; p=none")
        assert judge(zone, "a.b.example.org") == DmarcEvidence(
            "fail", "a.b.example.org", "reject", "example.org"
        )

    def test_is_of_the_public_suffix_for_an_organization_without_a_record(self) -> None:
        zone = zone_of(bank="v=DMARC1; p=none; np=reject; psd=y")
        assert judge(zone, "nosuch.bank").policy == "reject"

    def test_of_a_broken_record_is_none(self) -> None:
        found = judge(zone_of(example_org="v=DMARC1; p=maybe"), "example.org")
        assert (found.result, found.policy) == ("permerror", "none")


class TestSeveralAuthors:
    ZONE = zone_of(
        one_example="v=DMARC1; p=quarantine",
        two_example="v=DMARC1; p=reject",
        three_example="v=DMARC1; p=none",
    )

    def judge_all(self, *authors: str, signers: tuple[str, ...] = ()) -> DmarcEvidence:
        dkim = [DkimEvidence("pass", domain) for domain in signers]
        return asyncio.run(evaluate_dmarc(authors, NO_SPF, dkim, self.ZONE))

    def test_the_strictest_of_those_who_fail_counts(self) -> None:
        found = self.judge_all("three.example", "two.example", "one.example")
        assert (found.domain, found.policy) == ("two.example", "reject")

    def test_one_who_passes_covers_no_other(self) -> None:
        assert self.judge_all("one.example", "two.example", signers=("two.example",)) == (
            DmarcEvidence("fail", "one.example", "quarantine", "one.example")
        )

    def test_more_than_a_few_are_not_looked_up(self) -> None:
        found = self.judge_all(*(f"{place}.example" for place in range(100)))
        assert (found.result, found.policy) == ("permerror", "quarantine")


class TestAuthorDomains:
    @pytest.mark.parametrize(
        ("header", "domains"),
        [
            (b"From: a@Example.ORG", ("example.org",)),
            (b"From: a@b.example, C <c@d.example>, e@b.example", ("b.example", "d.example")),
            (b"From: a@b.example\r\nfrom : c@d.example", ("b.example", "d.example")),
            (b"From: friends: a@b.example, c@d.example;", ("b.example", "d.example")),
            (b'From: "x@y.example" <a@b.example>', ("b.example",)),
            (b"From: a@b.example.", ("b.example",)),
            (b"From:\r\n a@b.example", ("b.example",)),
            (b"Subject: x", ()),
            (b"From: <>", ()),
            (b"From: a@[192.0.2.1]", ("[192.0.2.1]",)),
            (b"From: naked", ("",)),
            (b"From: a@b.example c@d.example", ("d.example", "b.example")),
            (b"From: a@b.example <c@d.example>", ("d.example",)),
            (b'From: "a@b.example via list" <c@d.example>', ("d.example",)),
            (b"X: y\r\n" * 5000 + b"From: a@b.example", ("b.example",)),
            (b"From: a@b.example\r\nno field: x\r\n c@d.example", ("b.example", "d.example")),
        ],
    )
    def test_are_those_of_from(self, header: bytes, domains: tuple[str, ...]) -> None:
        assert author_domains(header + b"\r\n\r\nFrom: no@body.example\r\n") == domains

    def test_of_too_many_fields_are_too_many(self) -> None:
        content = b"".join(b"From: a@d%d.example\r\n" % place for place in range(50_000))
        began = time.process_time()
        assert len(author_domains(content)) == 6
        assert time.process_time() - began < 1

    def test_nobody_passes_for_what_is_no_domain(self) -> None:
        spf = SpfEvidence("pass", "[192.0.2.1]")
        found = asyncio.run(evaluate_dmarc(("[192.0.2.1]",), spf, (), Zone({})))
        assert found.result == "permerror"


class TestTrouble:
    def test_with_the_record_is_temperror(self) -> None:
        assert judge(Zone({}, broken=["_dmarc.example.org"]), "example.org", PASS).result == "temperror"  # fmt: skip

    def test_above_a_pass_does_not_matter(self) -> None:
        zone = Zone(
            {"_dmarc.example.org": {"TXT": ['"v=DMARC1; p=reject"']}}, broken=["_dmarc.org"]
        )
        assert judge(zone, "example.org", PASS).result == "pass"

    def test_above_a_record_that_ends_the_walk_does_not_matter(self) -> None:
        zone = Zone(
            {"_dmarc.example.org": {"TXT": ['"v=DMARC1; p=reject; psd=n"']}}, broken=["_dmarc.org"]
        )
        assert judge(zone, "example.org", NO_SPF, "a.example.org").result == "pass"

    @pytest.mark.parametrize(
        ("spf", "signers"),
        [
            (SpfEvidence("temperror", "example.org"), ()),
            (SpfEvidence("temperror"), ()),
            (NO_SPF, ("mail.example.org",)),
        ],
    )
    def test_of_what_would_be_aligned_is_temperror(
        self, spf: SpfEvidence, signers: tuple[str, ...]
    ) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject")
        found = judge(zone, "example.org", spf, *signers, result="temperror")
        assert (found.result, found.policy) == ("temperror", "none")

    def test_of_what_would_not_be_aligned_is_none(self) -> None:
        zone = zone_of(example_org="v=DMARC1; p=reject")
        spf = SpfEvidence("temperror", "example.com")
        assert judge(zone, "example.org", spf).result == "fail"

    def test_with_whether_a_name_exists_is_temperror(self) -> None:
        zone = Zone(
            {"_dmarc.example.org": {"TXT": ['"v=DMARC1; p=none; np=reject"']}},
            broken=["a.example.org"],
        )
        assert judge(zone, "a.example.org").result == "temperror"

    def test_a_name_too_long_for_dns_has_no_record(self) -> None:
        author = ".".join(["a" * 63] * 3 + ["b" * 58])
        assert judge(Zone({}), author).result == "none"


def test_over_a_dns_server() -> None:
    records = {
        "_dmarc.example.org": {"TXT": ['"v=DMARC1; " "p=none; sp=quarantine;" "np=reject"']},
        "a.example.org": {"A": ["192.0.2.1"]},
    }
    with DnsServer(records) as server:
        look_up = Resolver([server.address]).look_up_async

        async def policies() -> list[str]:
            found = [
                await evaluate_dmarc((author,), NO_SPF, (), look_up)
                for author in ("example.org", "a.example.org", "b.example.org", "example.com")
            ]
            return [one.policy if one.result == "fail" else one.result for one in found]

        assert asyncio.run(policies()) == ["none", "quarantine", "reject", "none"]
