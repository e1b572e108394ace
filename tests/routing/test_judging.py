"""From terms and thresholds to a verdict, and the words in which it is told."""

from email import message_from_bytes

import pytest

from accounts.entries import SpamSettings
from accounts.mailstore.headers import fields
from routing.judging import (
    DMARC_REPLY,
    SPAM_REPLY,
    VIRUS_REPLY,
    Findings,
    Learned,
    judge,
)
from routing.verdict_fields import scores_of, status_fields, stored_verdict
from routing.verdicts import NOT_JUDGED, Term

BAD = (Term("ZEN", 4.0), Term("NO_PTR", 1.25))
STRICT = SpamSettings(refuses_dmarc_failures=True)


def test_points_are_added_up_against_the_owners_threshold() -> None:
    findings = Findings(BAD)
    spam = judge(findings, SpamSettings(spam_threshold=5.25))
    assert (spam.is_spam, spam.score, spam.refusal) == (True, 5.25, "")
    assert spam.fields == (
        b"X-Spam-Status: Yes, score=5.25 required=5.25\r\n"
        b"\ttests=ZEN=4.0,NO_PTR=1.25\r\n"
        b"X-Spam-Flag: YES\r\n"
    )
    ham = judge(findings, SpamSettings(spam_threshold=5.3))
    assert not ham.is_spam
    assert b"X-Spam-Flag" not in ham.fields
    assert ham.fields.startswith(b"X-Spam-Status: No, score=5.25 required=5.3\r\n")


def test_nothing_known_is_no_spam() -> None:
    verdict = judge(Findings(), SpamSettings())
    assert not verdict.is_spam
    assert (
        verdict.fields == b"X-Spam-Status: No, score=0.0 required=5.0\r\n\ttests=none\r\n"
    )  # judged all the same
    assert dict(verdict.scores) == {"spamtest": "1", "spamtest.percent": "0"}


def test_what_was_learned_is_one_term_among_others() -> None:
    verdict = judge(Findings(BAD), SpamSettings(), Learned(-3.5, (("viagra", -2.0),)))
    assert (verdict.score, verdict.is_spam) == (1.75, False)
    assert verdict.telling == (("viagra", -2.0),)
    assert judge(Findings(), SpamSettings(), Learned(5.0)).is_spam


@pytest.mark.parametrize(("refuse_at", "refusal"), [(None, ""), (5.25, SPAM_REPLY), (5.26, "")])
def test_a_message_is_refused_where_the_owner_wants_it(refuse_at, refusal) -> None:
    settings = SpamSettings(refuse_threshold=refuse_at)
    assert judge(Findings(BAD), settings).refusal == refusal
    assert judge(Findings(BAD), settings, may_refuse=False).refusal == ""


def test_what_is_refused_is_spam_for_those_who_get_it_all_the_same() -> None:
    settings = SpamSettings(spam_threshold=9.0, refuse_threshold=5.0)
    verdict = judge(Findings(BAD), settings)
    assert (verdict.is_spam, verdict.refusal) == (True, SPAM_REPLY)


@pytest.mark.parametrize(
    ("dmarc", "is_doubtful", "settings", "refusal"),
    [
        ("quarantine", True, STRICT, ""),
        ("reject", False, SpamSettings(), ""),
        ("reject", True, SpamSettings(), DMARC_REPLY),
        ("reject", False, STRICT, DMARC_REPLY),
    ],
)
def test_what_fails_dmarc_is_spam_and_refused_with_a_second_sign_or_by_setting(
    dmarc, is_doubtful, settings, refusal
) -> None:
    findings = Findings((Term("GOOD", -3.0),), dmarc=dmarc, is_doubtful=is_doubtful)
    verdict = judge(findings, settings)
    assert (verdict.is_spam, verdict.score, verdict.refusal) == (True, 5.0, refusal)
    assert f"DMARC_{dmarc.upper()}=8.0".encode() in verdict.fields


def test_a_second_sign_is_a_score_too_and_speaks_against_no_list() -> None:
    settings = SpamSettings(spam_threshold=5.0)
    assert judge(Findings(BAD, dmarc="reject"), settings).refusal == DMARC_REPLY
    listed = Findings(BAD, dmarc="reject", is_doubtful=True, is_from_list=True)
    verdict = judge(listed, settings)
    assert (verdict.is_spam, verdict.refusal) == (True, "")
    assert judge(listed, STRICT).refusal == DMARC_REPLY


def test_what_decides_is_no_reason_to_refuse() -> None:
    settings = SpamSettings(refuse_threshold=6.0)
    verdict = judge(Findings(BAD, dmarc="quarantine", is_forged=True), settings)
    assert (verdict.is_spam, verdict.refusal) == (True, "")
    assert verdict.score == 7.25


def test_an_author_of_ours_who_is_none_is_spam() -> None:
    verdict = judge(Findings(is_forged=True), SpamSettings(spam_threshold=50.0))
    assert verdict.is_spam
    assert b"LOCAL_FROM=50.0" in verdict.fields


def test_the_allow_list_wins_over_all_but_a_virus() -> None:
    findings = Findings(BAD, is_allowed=True, dmarc="reject", is_doubtful=True, is_forged=True)
    verdict = judge(findings, SpamSettings(refuse_threshold=1.0), Learned(20.0))
    assert (verdict.is_spam, verdict.refusal) == (False, "")
    assert b"ALLOWED=-100.0" in verdict.fields
    infected = judge(Findings(is_allowed=True, virus="Win.Eicar-1\r\n250 ok"), SpamSettings())
    assert infected.refusal == VIRUS_REPLY.format("Win.Eicar-1??250?ok")
    assert dict(infected.scores)["virustest"] == "5"


def test_a_name_of_anybody_makes_no_line() -> None:
    hostile = Term("bad\r\nX-Spam-Flag: NO\r\n\r\n=,ß" + "x" * 5000, float("inf"))
    verdict = judge(
        Findings((hostile, Term("", float("nan")), *[Term(f"T{n}", n / 7) for n in range(500)])),
        SpamSettings(),
    )
    assert verdict.fields.isascii()
    assert max(map(len, verdict.fields.split(b"\r\n"))) <= 78
    assert verdict.fields.count(b"\r\n") == verdict.fields.count(b"\n") < 25
    names = [field.name for field in fields(verdict.fields)]
    assert names in ([b"x-spam-status"], [b"x-spam-status", b"x-spam-flag"])


def test_the_field_is_folded_between_terms() -> None:
    terms = [Term(f"A_RATHER_LONG_NAME_{n}", 1.0 + n) for n in range(9)]
    parsed = message_from_bytes(status_fields(True, 45.0, 5.0, terms) + b"\r\n")
    text = "".join(parsed["X-Spam-Status"].split())
    assert text.endswith("A_RATHER_LONG_NAME_1=2.0,A_RATHER_LONG_NAME_0=1.0")
    assert parsed["X-Spam-Flag"] == "YES"


@pytest.mark.parametrize(
    ("score", "spamtest", "percent"),
    [(-90.0, "1", "0"), (0.0, "1", "0"), (2.5, "3", "25"), (5.0, "5", "50"), (10.0, "10", "100")],
)
def test_scripts_read_the_score(score, spamtest, percent) -> None:
    scores = dict(scores_of(score, 5.0, ""))
    assert scores == {"spamtest": spamtest, "spamtest.percent": percent, "virustest": "1"}


def test_a_verdict_is_read_back_from_what_stands_before_a_message() -> None:
    verdict = judge(Findings(BAD), SpamSettings())
    stored = stored_verdict(b"Return-Path: <>\r\n" + verdict.fields + b"Received: x\r\n")
    assert (stored.is_spam, stored.scores) == (True, verdict.scores)
    assert stored_verdict(b"Received: x\r\n") == NOT_JUDGED
