"""From what is known of a message to a verdict for each mailbox that it is for. Pure.

Points are added up. Some signs decide whatever the sum is: they are worth what is missing to the threshold. An entry of the
allow list wins over all but a virus.
"""

import re
from dataclasses import dataclass

from accounts.entries import SpamSettings
from routing.evidence import PolicyWord
from routing.verdict_fields import scores_of, status_fields
from routing.verdicts import Term, Verdict

ALLOWED = Term("ALLOWED", -100.0, "on the allow list")
FORGED = "LOCAL_FROM"
DMARC = {"quarantine": "DMARC_QUARANTINE", "reject": "DMARC_REJECT"}
CLASSIFIER = "LEARNED"

VIRUS_REPLY = "550 5.7.1 a virus was found in the message: {}"
DMARC_REPLY = "550 5.7.26 the message fails DMARC, and the author's domain asks that it be refused"
SPAM_REPLY = "550 5.7.1 the message is judged to be spam: if it is none, write to the postmaster"

_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9._:/()-]")


@dataclass(frozen=True, slots=True)
class Findings:
    """What is the same for all mailboxes.

    `dmarc` is what the author's domain asks for, as far as anything is to be done; `is_doubtful`: a second sign speaks
    against the message; `is_from_list`: by a list, or a sealer that is trusted, it may have come so. `is_forged`: it names an author of ours, and nothing shows that it is from
    here. `virus` is one's name, None where nobody looked for one.
    """

    terms: tuple[Term, ...] = ()
    is_allowed: bool = False
    dmarc: PolicyWord = "none"
    is_doubtful: bool = False
    is_from_list: bool = False
    is_forged: bool = False
    virus: str | None = None
    notes: tuple[str, ...] = ()


NOTHING_FOUND = Findings()


@dataclass(frozen=True, slots=True)
class Learned:
    """What the words of the message say for one mailbox."""

    points: float
    telling: tuple[tuple[str, float], ...] = ()


def judge(
    findings: Findings,
    settings: SpamSettings,
    learned: Learned | None = None,
    *,
    may_refuse: bool = True,
) -> Verdict:
    """The verdict for a mailbox with these settings; `may_refuse` is false for a postmaster."""
    terms = findings.terms
    if learned is not None:
        terms = (*terms, Term(CLASSIFIER, learned.points, "what the users have taught"))
    if findings.is_allowed:
        terms = (*terms, ALLOWED)
    score = _sum(terms)
    refusal = ""
    if not findings.is_allowed:
        if may_refuse:
            refusal = _refusal(findings, settings, score)
        for name in _deciding(findings):
            terms = (*terms, Term(name, max(1.0, round(settings.spam_threshold - score, 2))))
            score = _sum(terms)
    if findings.virus:
        refusal = VIRUS_REPLY.format(_NOT_OF_A_NAME.sub("?", findings.virus)[:100])
    is_spam = bool(refusal) or score >= settings.spam_threshold
    return Verdict(
        is_spam=is_spam,
        scores=scores_of(score, settings.spam_threshold, findings.virus),
        fields=status_fields(is_spam, score, settings.spam_threshold, terms),
        terms=terms,
        score=score,
        threshold=settings.spam_threshold,
        refusal=refusal,
        telling=learned.telling if learned is not None else (),
        notes=findings.notes,
    )


def _sum(terms: tuple[Term, ...]) -> float:
    return round(sum(term.points for term in terms), 2)


def _refusal(findings: Findings, settings: SpamSettings, score: float) -> str:
    """RFC 9989 forbids to refuse for p=reject alone, for the sake of lists."""
    is_doubtful = findings.is_doubtful or score >= settings.spam_threshold
    is_wrong = is_doubtful and not findings.is_from_list
    if findings.dmarc == "reject" and (settings.refuses_dmarc_failures or is_wrong):
        return DMARC_REPLY
    if settings.refuse_threshold is not None and score >= settings.refuse_threshold:
        return SPAM_REPLY
    return ""


def _deciding(findings: Findings) -> list[str]:
    names = [DMARC[findings.dmarc]] if findings.dmarc != "none" else []
    return [*names, FORGED] if findings.is_forged else names
