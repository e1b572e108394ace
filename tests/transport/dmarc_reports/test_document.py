"""An aggregate report: its XML by the schema's order, its message, and strangers' words in it."""

import email.policy
import gzip
from datetime import UTC, date, datetime
from email import message_from_bytes
from xml.etree import ElementTree

from transport.authentication.dmarc_records import parse_record
from transport.dmarc_reports.document import Report, message_of, xml_of
from transport.dmarc_reports.tallies import Tally

RECORD = parse_record("example.com", "v=DMARC1; p=reject; sp=quarantine; adkim=s; t=y")
assert RECORD
TALLY = Tally(
    "example.com", "192.0.2.1", "news.example.com", "bounces.example.net", "quarantine", True, False,
    "softfail", (("example.com", "s1", "pass"), ("example.net", "", "fail")), "local_policy",
)  # fmt: skip
REPORT = Report("dmarc@example.org", RECORD, date(2026, 11, 22), [(TALLY, 17)])
ID = REPORT.unique_id
NASTY = Tally("example.com", "::1", "x", "</spf>\x00\ud800&\n]]>", "none", False, False, "none")


def outline(element: ElementTree.Element) -> object:
    name = element.tag.removeprefix("{urn:ietf:params:xml:ns:dmarc-2.0}")
    return (name, element.text) if not len(element) else (name, [outline(one) for one in element])


def test_says_all() -> None:
    assert outline(ElementTree.fromstring(xml_of(REPORT))) == (
        "feedback",
        [
            ("version", "1.0"),
            (
                "report_metadata",
                [
                    ("org_name", "example.org"),
                    ("email", "dmarc@example.org"),
                    ("report_id", f"1795305600.{ID}.example.com@example.org"),
                    ("date_range", [("begin", "1795305600"), ("end", "1795391999")]),
                    ("generator", "Mailsite"),
                ],
            ),
            (
                "policy_published",
                [
                    ("domain", "example.com"),
                    ("discovery_method", "treewalk"),
                    ("p", "reject"),
                    ("sp", "quarantine"),
                    ("np", "quarantine"),
                    ("adkim", "s"),
                    ("aspf", "r"),
                    ("testing", "y"),
                ],
            ),
            (
                "record",
                [
                    (
                        "row",
                        [
                            ("source_ip", "192.0.2.1"),
                            ("count", "17"),
                            (
                                "policy_evaluated",
                                [
                                    ("disposition", "quarantine"),
                                    ("dkim", "pass"),
                                    ("spf", "fail"),
                                    ("reason", [("type", "local_policy")]),
                                ],
                            ),
                        ],
                    ),
                    (
                        "identifiers",
                        [
                            ("header_from", "news.example.com"),
                            ("envelope_from", "bounces.example.net"),
                        ],
                    ),
                    (
                        "auth_results",
                        [
                            (
                                "dkim",
                                [("domain", "example.com"), ("selector", "s1"), ("result", "pass")],
                            ),
                            (
                                "dkim",
                                [("domain", "example.net"), ("selector", None), ("result", "fail")],
                            ),
                            (
                                "spf",
                                [
                                    ("domain", "bounces.example.net"),
                                    ("scope", "mfrom"),
                                    ("result", "softfail"),
                                ],
                            ),
                        ],
                    ),
                ],
            ),
        ],
    )


def test_words_of_strangers_stay_words() -> None:
    report = Report("dmarc@example.org", REPORT.record, REPORT.day, [(NASTY, 1)])
    root = ElementTree.fromstring(xml_of(report))
    [domain] = root.findall(".//{*}spf/{*}domain")
    assert domain.text == "</spf>??&?]]>"


def test_the_message_brings_it_compressed() -> None:
    content = message_of(REPORT, "reports@example.net", datetime(2026, 11, 23, tzinfo=UTC))
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    message = message_from_bytes(content, policy=email.policy.default)
    assert message["Subject"].split() == [
        "Report", "Domain:", "example.com", "Submitter:", "example.org",
        "Report-ID:", f"<1795305600.{ID}.example.com@example.org>",
    ]  # fmt: skip
    assert (message["From"], message["To"]) == ("dmarc@example.org", "reports@example.net")
    [attachment] = message.iter_attachments()
    assert attachment.get_content_type() == "application/gzip"
    assert attachment.get_filename() == f"example.org!example.com!1795305600!1795391999!{ID}.xml.gz"
    assert gzip.decompress(attachment.get_content()) == xml_of(REPORT)


def test_the_same_report_is_the_same_octets() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert message_of(REPORT, "a@b.example", now) == message_of(REPORT, "a@b.example", now)


def test_what_is_counted_late_is_another_report() -> None:
    late = Report(REPORT.sender, REPORT.record, REPORT.day, [(TALLY, 1)])
    assert late.id != REPORT.id
