"""Judges a message for each of its mailboxes, in the hop that takes it over. A service for a database thread.

What fails here stops no mail: it is judged by what is known, and the trace says what is missing.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from accounts.directory import local_domains
from accounts.journal.trace import TraceEvent
from accounts.mailstore.values import MailboxId
from routing.decisions import Filing, Plan, Refiling, Sending
from routing.dmarc_treatment import SenderRules, dmarc_treatment, trusted_sealer
from routing.envelope import Client, Envelope, Recipient
from routing.evidence import Authentication
from routing.judging import NOTHING_FOUND, SPAM_REPLY, Findings, Learned, judge
from routing.sender_rules import sender_rules
from routing.spam_models.scoring import score_content
from routing.verdicts import Verdict, Verdicts
from transport.consignments import path_text
from transport.database_threads import Connection
from transport.dmarc_reports.counting import count_message
from transport.smtp.admission import is_from_us

POSTMASTER = "postmaster"
STEP = "verdict"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found out while the sender waits. `fields` tell it to the recipients (Authentication-Results).

    `authentication` None: it is not known. `unproven` are the domains of authors that nothing speaks for.
    `deferral` is the reply where the message cannot be taken now.
    """

    findings: Findings = NOTHING_FOUND
    fields: bytes = b""
    authentication: Authentication | None = None
    unproven: tuple[str, ...] = ()
    deferral: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`plan` is without what does not leave. `refusal` is the reply where nobody takes the message, or "".

    `is_spam`: it is that for anybody.
    """

    plan: Plan
    verdicts: Verdicts = field(default_factory=dict)
    events: tuple[TraceEvent, ...] = ()
    refusal: str = ""
    is_spam: bool = False


def judge_message(
    db: Connection,
    trace_id: str,
    client: Client,
    envelope: Envelope,
    plan: Plan,
    content: bytes,
    gathered: Gathered,
) -> Judgement:
    """`content` is with our own fields. Raises only what makes the connection useless."""
    copies: Sequence[Filing | Refiling] = (*plan.filings, *plan.refilings)
    learned, notes = _learned(db, trace_id, content, [copy.mailbox.id for copy in copies])
    rules = sender_rules(db)
    findings = _with_rules(db, rules, gathered, envelope, client)
    findings = replace(findings, notes=(*findings.notes, *notes))
    verdicts = {
        copy.mailbox.id: judge(
            findings,
            copy.mailbox.spam,
            learned.get(copy.mailbox.id),
            may_refuse=not _is_postmaster(copy.recipient),
        )
        for copy in copies
    }
    of_sendings = [
        (one, judge(findings, one.spam, _learned_beside(one, copies, learned)))
        for one in plan.sendings
    ]
    kept = tuple(one for one, verdict in of_sendings if not (one.forwarder and verdict.is_spam))
    withheld = [(one, verdict) for one, verdict in of_sendings if one not in kept]
    refusals = [verdict.refusal for verdict in verdicts.values()]
    refusals += [verdict.refusal or SPAM_REPLY for _, verdict in withheld]
    refusal = refusals[0] if refusals and all(refusals) and not kept else ""
    if gathered.authentication is not None:
        count_message(gathered.authentication, rules, findings, client.address, refusal)
    telling = _Telling(trace_id, path_text(envelope.reverse_path), is_refused=bool(refusal))
    events = [
        telling.verdict(
            verdicts[copy.mailbox.id], copy.recipient, copy.mailbox.spam.refuse_threshold
        )
        for copy in copies
    ]
    events += [telling.withheld(verdict, sending) for sending, verdict in withheld]
    is_spam = bool(withheld) or any(verdict.is_spam for verdict in verdicts.values())
    return Judgement(replace(plan, sendings=kept), verdicts, tuple(events), refusal, is_spam)


def _with_rules(
    db: Connection, rules: SenderRules, gathered: Gathered, envelope: Envelope, client: Client
) -> Findings:
    """The findings, with what the administrator's rules and our own domains make of them."""
    findings, authentication = gathered.findings, gathered.authentication
    if authentication is None:
        return findings
    unproven = set(gathered.unproven)
    is_sealed = bool(trusted_sealer(authentication, rules))
    if is_sealed:
        unproven.discard(authentication.dmarc.domain)
    is_forged = bool(unproven and local_domains(db, unproven)) and not is_from_us(
        db, envelope.reverse_path, client.address
    )
    return replace(
        findings,
        dmarc=dmarc_treatment(authentication, rules),
        is_from_list=findings.is_from_list or is_sealed,
        is_forged=is_forged,
    )


def _learned(
    db: Connection, trace_id: str, content: bytes, mailboxes: Sequence[MailboxId]
) -> tuple[Mapping[MailboxId, Learned], tuple[str, ...]]:
    try:
        classified = score_content(db, content, mailboxes)
    except Exception:
        if db.closed:
            raise
        log.exception("%s: the classifier failed", trace_id)
        return {}, ("the classifier failed",)
    return {
        mailbox: Learned(one.points, one.telling)
        for mailbox, one in classified.items()
        if one is not None
    }, ()


def _learned_beside(
    sending: Sending, copies: Sequence[Filing | Refiling], learned: Mapping[MailboxId, Learned]
) -> Learned | None:
    """What the forwarding domain has taught: as a mailbox of it has it that gets the message too."""
    domain = f"@{sending.forwarder}"
    ids = (copy.mailbox.id for copy in copies if copy.mailbox.address.endswith(domain))
    return next((learned[one] for one in ids if one in learned), None)


def _is_postmaster(recipient: Recipient) -> bool:
    return recipient.address.local_part.lower() == POSTMASTER


@dataclass(frozen=True, slots=True)
class _Telling:
    """Writes the events of one message."""

    trace_id: str
    sender: str
    is_refused: bool

    def verdict(
        self, verdict: Verdict, recipient: Recipient, refuse_at: float | None
    ) -> TraceEvent:
        result = "refused" if self.is_refused else "spam" if verdict.is_spam else "ham"
        detail = _detail(verdict) | {"refuse_at": refuse_at}
        return self._event(result, verdict, str(recipient.address), detail)

    def withheld(self, verdict: Verdict, sending: Sending) -> TraceEvent:
        """Spam leaves for nobody outside."""
        recipients = ", ".join(str(recipient.address) for recipient in sending.recipients)
        return self._event("withheld", verdict, recipients[:500], _detail(verdict))

    def _event(
        self, result: str, verdict: Verdict, recipient: str, detail: Mapping[str, object]
    ) -> TraceEvent:
        reason = in_words(verdict)
        return TraceEvent(
            self.trace_id, STEP, result, reason, self.sender, recipient, detail=detail
        )


def in_words(verdict: Verdict) -> str:
    """One line for people: the score, what is enough for spam, and what it is made of."""
    heaviest = sorted(verdict.terms, key=lambda term: -abs(term.points))
    terms = ", ".join(f"{term.name} {term.points:.1f}" for term in heaviest) or "nothing"
    word = "spam" if verdict.is_spam else "no spam"
    notes = "".join(f"; {note}" for note in verdict.notes)
    return (
        f"{word}: {verdict.score:.1f} points, {verdict.threshold:.1f} are enough: {terms}{notes}"[
            :500
        ]
    )


def _detail(verdict: Verdict) -> dict[str, object]:
    """What the pages "why this score" and "what if" read."""
    return {
        "points": verdict.score,
        "threshold": verdict.threshold,
        "terms": {term.name: term.points for term in verdict.terms},
        "notes": [
            *verdict.notes,
            *(f"{one.name}: {one.note}" for one in verdict.terms if one.note),
        ],
        "telling": [list(pair) for pair in verdict.telling],
    }
