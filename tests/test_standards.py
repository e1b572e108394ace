"""docs/standards.md lists every RFC that the code cites, and the modules that it names are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs/standards.md"
PACKAGES = ("accounts", "routing", "transport", "mailsite")
CITED = re.compile(r"\bRFCs?[ -](\d{3,5})\b")
# Lists such as "RFC 5321, 6531" or "RFCs 3461 and 3464" cite more than the first.
FURTHER = re.compile(r"\bRFCs?[ -]\d{3,5}(?: ?§[\d.]+)?((?:(?:, | and |/)\d{4,5}(?: ?§[\d.]+)?)+)")
STATUSES = {"yes", "in part", "later", "no", "reference"}


def rows() -> list[list[str]]:
    """The cells of the table's rows: RFC, title, status, where, remarks."""
    lines = TABLE.read_text().splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if re.match(r"\| \d{3,5} \|", line)
    ]


def cited(text: str) -> set[str]:
    """The numbers of the RFCs that a text cites."""
    numbers = set(CITED.findall(text))
    for more in FURTHER.findall(text):
        numbers |= set(re.findall(r"\b\d{4,5}\b", re.sub(r"§[\d.]+", "", more)))
    return numbers


def test_the_search_for_citations_sees_lists() -> None:
    assert cited("RFC 5321 §4.1.2, 6531 and RFC-9051 §7; RFCs 3461 and 3464") == {
        "5321", "6531", "9051", "3461", "3464",
    }  # fmt: skip


def test_every_rfc_that_the_code_cites_is_listed() -> None:
    listed = {row[0] for row in rows()}
    missing = {
        f"{path.relative_to(ROOT)}: RFC {number}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for number in cited(path.read_text()) - listed
    }
    assert not missing


def test_every_row_has_a_status_and_names_modules_that_exist() -> None:
    found = rows()
    assert len(found) > 20
    for row in found:
        assert row[2] in STATUSES, row
        for path in re.findall(r"`([\w/.]+)`", row[3]):
            assert (ROOT / path).exists(), row
        if row[2] in ("yes", "in part"):
            assert "`" in row[3], row
    numbers = [int(row[0]) for row in found]
    assert numbers == sorted(set(numbers))
