"""Who may name an author of ours from outside: pure tables."""

import pytest

from routing.evidence import Authentication, DkimEvidence, SpfEvidence
from routing.local_authors import is_from_list, unproven_authors

OURS = "ours.example"


def evidence(spf: str = "none", spf_domain: str = "", *signatures: tuple[str, str]):
    dkim = tuple(DkimEvidence(result, domain) for result, domain in signatures)
    return Authentication(SpfEvidence(spf, spf_domain), dkim)


@pytest.mark.parametrize(
    ("found", "unproven"),
    [
        (evidence(), (OURS,)),
        (evidence("pass", OURS), ()),
        (evidence("pass", "Mail.Ours.Example"), ()),
        (evidence("softfail", OURS), (OURS,)),
        (evidence("temperror", OURS), ()),
        (evidence("fail", OURS, ("temperror", OURS)), ()),
        (evidence("pass", "other.example"), (OURS,)),
        (evidence("pass", "notours.example"), (OURS,)),
        (evidence("none", "", ("pass", OURS)), ()),
        (evidence("none", "", ("fail", OURS), ("pass", "list.example")), (OURS,)),
        (evidence("fail", "x.example", ("fail", "x.example"), ("pass", OURS)), ()),
    ],
)
def test_a_signature_or_spf_proves_an_author(found, unproven) -> None:
    assert unproven_authors((OURS,), found) == unproven


def test_each_author_is_to_be_proven() -> None:
    assert unproven_authors((OURS, "b.example"), evidence("pass", "b.example")) == (OURS,)


@pytest.mark.parametrize(
    ("names", "found", "expected"),
    [
        ([b"from", b"list-id"], evidence("pass", "list.example"), True),
        ([b"list-post"], evidence("none", "", ("pass", "list.example")), True),
        ([b"list-id"], evidence("fail", "list.example"), False),  # a word of anybody
        ([b"list-unsubscribe"], evidence("pass", "shop.example"), False),
    ],
)
def test_a_list_says_so_and_somebody_answers_for_it(names, found, expected) -> None:
    assert is_from_list(names, found) is expected
