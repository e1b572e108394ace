"""What a domain owner's wish comes to after trusted sealers and overrides."""

import pytest

from routing.dmarc_treatment import NO_RULES, SenderRules, dmarc_treatment, read_results
from routing.evidence import (
    ArcEvidence,
    ArcSet,
    Authentication,
    DmarcEvidence,
    PolicyWord,
    SpfEvidence,
)

SEEN = "mx.list.example; dmarc=pass header.from=example.org"
RULES = SenderRules(frozenset({"list.example", "other.example"}))


def failed(
    policy: PolicyWord = "reject",
    *sets: tuple[str, str],
    covers_author: bool = True,
    domain: str = "example.org",
) -> Authentication:
    """`sets` are (sealer, results), the newest first."""
    chain = tuple(
        ArcSet(len(sets) - place, sealer, said) for place, (sealer, said) in enumerate(sets)
    )
    return Authentication(
        SpfEvidence("fail"),
        arc=ArcEvidence("pass" if sets else "none", chain, covers_author=covers_author),
        dmarc=DmarcEvidence("fail", domain, policy, domain),
    )


@pytest.mark.parametrize("policy", ["none", "quarantine", "reject"])
def test_without_rules_it_is_what_the_owner_asks_for(policy: PolicyWord) -> None:
    assert dmarc_treatment(failed(policy), NO_RULES) == policy


@pytest.mark.parametrize("result", ["pass", "none", "temperror"])
def test_it_is_nothing_without_a_fail(result: str) -> None:
    dmarc = DmarcEvidence(result, "example.org", "reject")  # type: ignore[arg-type]
    assert dmarc_treatment(Authentication(SpfEvidence("none"), dmarc=dmarc), NO_RULES) == "none"


def test_too_many_authors_are_quarantined() -> None:
    dmarc = DmarcEvidence("permerror", "example.org", "quarantine")
    found = dmarc_treatment(Authentication(SpfEvidence("none"), dmarc=dmarc), NO_RULES)
    assert found == "quarantine"


class TestOverrides:
    RULES = SenderRules(
        overrides={"example.org": "quarantine", "a.example.org": "none", "example.com": "reject"}
    )

    @pytest.mark.parametrize(
        ("domain", "policy", "treatment"),
        [
            ("example.org", "reject", "quarantine"),
            ("b.example.org", "reject", "quarantine"),
            ("example.org", "none", "none"),
            ("a.example.org", "reject", "none"),
            ("x.a.example.org", "quarantine", "none"),
            ("example.com", "quarantine", "quarantine"),
            ("notexample.org", "reject", "reject"),
        ],
    )
    def test_soften(self, domain: str, policy: PolicyWord, treatment: str) -> None:
        assert dmarc_treatment(failed(policy, domain=domain), self.RULES) == treatment


class TestTrustedSealers:
    @pytest.mark.parametrize(
        "said",
        [
            SEEN,
            "mx; arc=none; dmarc=pass (p=reject) header.from=Example.ORG",
            'mx; dmarc=pass reason="a; b" policy.dmarc=reject header.from="example.org"',
            "mx; dkim=fail header.d=example.org; dkim=pass header.i=@news.example.org",
            "mx; spf=pass (x; dmarc=fail) smtp.mailfrom=bounce@example.org",
        ],
    )
    def test_are_believed(self, said: str) -> None:
        assert dmarc_treatment(failed("reject", ("list.example", said)), RULES) == "none"

    @pytest.mark.parametrize(
        "said",
        [
            "",
            "mx",
            "mx; none",
            "mx; dmarc=fail header.from=example.org",
            "mx; dmarc=pass header.from=attacker.example",
            "mx; dkim=pass header.d=attacker.example",
            "mx; dkim=pass header.d=org",
            "mx; spf=pass smtp.mailfrom=a@attacker.example",
            "mx; spf=pass",
            "mx; spf=fail smtp.mailfrom=\"; dmarc=pass header.from=example.org\"",
            "mx; spf=fail (; dmarc=pass header.from=example.org)",
            "mx; iprev=pass policy.iprev=example.org",
        ],
    )  # fmt: skip
    def test_who_saw_no_pass_change_nothing(self, said: str) -> None:
        assert dmarc_treatment(failed("reject", ("list.example", said)), RULES) == "reject"

    def test_are_not_anybody(self) -> None:
        assert dmarc_treatment(failed("reject", ("attacker.example", SEEN)), RULES) == "reject"

    def test_speak_of_the_author_only_when_from_is_signed(self) -> None:
        found = failed("reject", ("list.example", SEEN), covers_author=False)
        assert dmarc_treatment(found, RULES) == "reject"

    def test_are_believed_behind_trusted_ones_only(self) -> None:
        no = "mx; dmarc=fail"
        behind_trusted = failed("reject", ("other.example", no), ("list.example", SEEN))
        behind_stranger = failed("reject", ("stranger.example", no), ("list.example", SEEN))
        assert dmarc_treatment(behind_trusted, RULES) == "none"
        assert dmarc_treatment(behind_stranger, RULES) == "reject"


def test_results_of_any_text_are_read_in_bounds() -> None:
    hostile = ["(" * 100_000, '"' * 100_000, "\\" * 100_001, "; a=b" * 100_000, '"\\' * 50_000]
    assert [len(list(read_results(text))) for text in hostile] == [0, 0, 0, 50, 0]
