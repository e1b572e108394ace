"""An aggregate report as XML, and as the message that brings it. RFC 9990 §3.1, §3.5, Appendix A. Pure."""

import base64
import gzip
import hashlib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from xml.etree import ElementTree

from transport.authentication.dmarc_records import Record
from transport.dmarc_reports.tallies import Tally

NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"
GENERATOR = "Mailsite"

_NOT_SHOWN = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Report:
    """What one policy domain is told of one day (UTC). `sender` is our address; its domain is who reports."""

    sender: str
    record: Record
    day: date
    rows: Sequence[tuple[Tally, int]]

    @property
    def reporter(self) -> str:
        return self.sender.rpartition("@")[2]

    @property
    def begin(self) -> int:
        return int(datetime.combine(self.day, time(), UTC).timestamp())

    @property
    def end(self) -> int:
        return self.begin + int(timedelta(days=1).total_seconds()) - 1

    @property
    def unique_id(self) -> str:
        """The same whenever the same report is made again; another for what is counted late."""
        return hashlib.sha256(repr(list(self.rows)).encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def id(self) -> str:
        return f"{self.begin}.{self.unique_id}.{self.record.domain}@{self.reporter}"


def xml_of(report: Report) -> bytes:
    root = ElementTree.Element("feedback", xmlns=NAMESPACE)
    _text(root, "version", "1.0")
    metadata = ElementTree.SubElement(root, "report_metadata")
    _text(metadata, "org_name", report.reporter)
    _text(metadata, "email", report.sender)
    _text(metadata, "report_id", report.id)
    dates = ElementTree.SubElement(metadata, "date_range")
    _text(dates, "begin", report.begin)
    _text(dates, "end", report.end)
    _text(metadata, "generator", GENERATOR)
    record = report.record
    published = ElementTree.SubElement(root, "policy_published")
    _text(published, "domain", record.domain)
    _text(published, "discovery_method", "treewalk")
    _text(published, "p", record.policy)
    _text(published, "sp", record.subdomains)
    _text(published, "np", record.missing)
    _text(published, "adkim", "s" if record.is_strict_dkim else "r")
    _text(published, "aspf", "s" if record.is_strict_spf else "r")
    _text(published, "testing", "y" if record.is_test else "n")
    for tally, count in report.rows:
        _record(root, tally, count)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))


def _record(root: ElementTree.Element, tally: Tally, count: int) -> None:
    record = ElementTree.SubElement(root, "record")
    row = ElementTree.SubElement(record, "row")
    _text(row, "source_ip", tally.source_address)
    _text(row, "count", count)
    evaluated = ElementTree.SubElement(row, "policy_evaluated")
    _text(evaluated, "disposition", tally.disposition)
    _text(evaluated, "dkim", "pass" if tally.dkim_aligned else "fail")
    _text(evaluated, "spf", "pass" if tally.spf_aligned else "fail")
    if tally.override:
        _text(ElementTree.SubElement(evaluated, "reason"), "type", tally.override)
    identifiers = ElementTree.SubElement(record, "identifiers")
    _text(identifiers, "header_from", tally.header_from)
    _text(identifiers, "envelope_from", tally.envelope_from)
    results = ElementTree.SubElement(record, "auth_results")
    for domain, selector, result in tally.signatures:
        dkim = ElementTree.SubElement(results, "dkim")
        _text(dkim, "domain", domain)
        _text(dkim, "selector", selector)
        _text(dkim, "result", result)
    spf = ElementTree.SubElement(results, "spf")
    _text(spf, "domain", tally.envelope_from)
    _text(spf, "scope", "mfrom")
    _text(spf, "result", tally.spf_result)


def _text(parent: ElementTree.Element, name: str, value: str | int) -> None:
    """What a stranger wrote is kept to characters that XML can hold."""
    ElementTree.SubElement(parent, name).text = _NOT_SHOWN.sub("?", str(value))


def message_of(report: Report, recipient: str, date_: datetime) -> bytes:
    """The message to one address (§3.5.2)."""
    domain, reporter = report.record.domain, report.reporter
    boundary = f"=_{report.begin}_report"
    filename = f"{reporter}!{domain}!{report.begin}!{report.end}!{report.unique_id}.xml.gz"
    data = base64.b64encode(gzip.compress(xml_of(report), mtime=0)).decode()
    words = f"This is a DMARC aggregate report of mail from {domain}, by {reporter}, for {report.day} (UTC)."
    return "\r\n".join(
        [
            f"From: <{report.sender}>",
            f"To: <{recipient}>",
            f"Date: {format_datetime(date_)}",
            f"Message-ID: <{report.id}>",
            f"Subject: Report Domain: {domain}",
            f"\tSubmitter: {reporter}",
            f"\tReport-ID: <{report.id}>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/mixed; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            *textwrap.wrap(words, 76, break_long_words=False),
            "",
            f"--{boundary}",
            "Content-Type: application/gzip",
            "Content-Transfer-Encoding: base64",
            f'Content-Disposition: attachment; filename="{filename}"',
            "",
            *(data[at : at + 76] for at in range(0, len(data), 76)),
            f"--{boundary}--",
            "",
        ]
    ).encode()
