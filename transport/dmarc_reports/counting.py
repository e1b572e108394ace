"""Counts a judged message for its author's domain, while reports are on. RFC 9990 §3.1.6: why it did not go as the owner asks."""

from django.conf import settings

from routing.dmarc_treatment import SenderRules, trusted_sealer
from routing.evidence import Authentication, PolicyWord
from routing.judging import DMARC_REPLY, Findings
from transport.dmarc_reports.tallies import Tallies, tally_of

TALLIES = Tallies()


def count_message(
    authentication: Authentication,
    rules: SenderRules,
    findings: Findings,
    client_address: str,
    refusal: str,
) -> None:
    """`findings` after the administrator's rules; `refusal` is the reply to the whole message, or ""."""
    if not settings.DMARC_REPORTS_FROM:
        return
    disposition: PolicyWord = "none"
    if refusal == DMARC_REPLY:
        disposition = "reject"
    elif findings.dmarc != "none" and not findings.is_allowed:
        disposition = "quarantine"
    override = _override(authentication, rules, findings, disposition)
    tally = tally_of(authentication, client_address, disposition, override)
    if tally is not None:
        TALLIES.add(tally)


def _override(
    authentication: Authentication,
    rules: SenderRules,
    findings: Findings,
    disposition: PolicyWord,
) -> str:
    dmarc = authentication.dmarc
    if dmarc.result != "fail":
        return ""
    if dmarc.is_test:
        return "policy_test_mode"
    if dmarc.policy == disposition:
        return ""
    if trusted_sealer(authentication, rules):
        return "trusted_forwarder"
    return "mailing_list" if findings.is_from_list else "local_policy"
