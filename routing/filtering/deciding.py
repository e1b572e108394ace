"""Asks the scripts of a plan's mailboxes what is to be done with their copies.

The look-up at RCPT tells which script that is; one round trip finds them where there are several, or a group was asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings

from accounts.directory import local_domains
from accounts.entries import MailboxFacts
from routing.decisions import Filing, Filtered, Plan, ScriptFailure
from routing.envelope import Client, Envelope, Recipient
from routing.filtering.host import MailboxHost
from routing.filtering.memories import Connection
from routing.filtering.planning import Surroundings, plan_filtered
from routing.filtering.running import Failed, run_scripts
from routing.filtering.versions import Versions
from routing.scripts.standing import StandingScript, StandingScripts, standing_scripts
from routing.sieve.actions import Keep, Memory
from routing.sieve.host import ScriptEnvelope
from routing.sieve.message import Message
from routing.sieve.results import Result
from routing.verdicts import NOT_JUDGED, Verdict, Verdicts

FAILURE = "failure"
"""The kind of memory that an owner was told of a failed script."""
FAILURE_SECONDS = 86_400

# Empty at a delivery (RFC 6785 §4.2 and after).
_IMAP_ITEMS = ("imap.user", "imap.email", "imap.cause", "imap.mailbox", "imap.changedflags")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as it came: `content` with our own fields that all mailboxes have, which scripts see too."""

    content: bytes
    envelope: Envelope
    client: Client
    verdicts: Verdicts = field(default_factory=dict)


def filter_plan(db: Connection, plan: Plan, arrived: Arrived) -> Plan:
    """The plan with a Filtered in the place of each Filing whose mailbox has scripts. Raises what the database raises."""
    if not plan.is_for_scripts:
        return plan
    concerned = [filing for filing in plan.filings if filing.mailbox.is_filtered]
    scripts = _known_scripts(concerned) or standing_scripts(
        db, [filing.mailbox.id for filing in concerned]
    )
    messages: dict[bytes, Message] = {}
    versions = Versions()
    filtered = {
        filing.mailbox.id: one
        for filing in concerned
        if (one := _filter(db, scripts, filing, messages, versions, arrived)) is not None
    }
    return replace(
        plan,
        filings=tuple(one for one in plan.filings if one.mailbox.id not in filtered),
        filtered=(*plan.filtered, *filtered.values()),
    )


def environment_of(client: Client) -> Mapping[str, str]:
    """The items of RFC 5183 §4.1 at a delivery, and those of RFC 6785 §4."""
    host = settings.MAIL_HOSTNAME
    items = {
        "name": "Mailsite",
        "location": "MTA",
        "phase": "during",
        "host": host,
        "domain": host.partition(".")[2] or host,
        "remote-ip": client.address,
    }
    return {name: value for name, value in items.items() if value} | dict.fromkeys(_IMAP_ITEMS, "")


def decide(
    db: Connection,
    scripts: StandingScripts,
    mailbox: MailboxFacts,
    recipient: Recipient,
    message: Message,
    envelope: ScriptEnvelope,
    environment: Mapping[str, str],
    verdict: Verdict = NOT_JUDGED,
    *,
    stored_flags: tuple[str, ...] | None = None,
    versions: Versions | None = None,
) -> Filtered | None:
    """What one mailbox's scripts want; None where no script ran: they may have gone meanwhile.

    `stored_flags`: the message is in a folder already, with these, and the script follows what somebody does with it, spam
    or not. `versions` are shared by the mailboxes of a message.
    """
    host = MailboxHost(db, mailbox.id)
    ran = run_scripts(
        db,
        scripts,
        mailbox.id,
        message,
        envelope,
        host,
        environment,
        verdict,
        sees_spam=mailbox.spam.sees_spam or stored_flags is not None,
    )
    if ran.result is None and not ran.failures:
        return None
    around = Surroundings(
        original=message,
        sender=envelope.sender,
        own_addresses=host.own_addresses,
        members=host.list_members,
        is_spam=verdict.is_spam,
        is_stored=stored_flags is not None,
        flags=stored_flags or (),
        local_domains=lambda names: local_domains(db, names),
        versions=versions or Versions(),
    )
    result = ran.result or Result(message, (Keep(implicit=True),))
    planned = plan_filtered(mailbox, recipient, result, around)
    failures = tuple(_failure(failed, host) for failed in ran.failures)
    told = tuple(Memory(FAILURE, one.digest, FAILURE_SECONDS) for one in failures if one.is_own)
    memories = planned.memories + told
    unseen = {(one.kind, one.key) for one in memories if host.was_told_unseen(one.kind, one.key)}
    return replace(planned, failures=failures, memories=memories, unseen=frozenset(unseen))


def _known_scripts(concerned: Sequence[Filing]) -> StandingScripts | None:
    """What the look-up at RCPT has told; None where it has not told all."""
    active = {}
    for filing in concerned:
        only, mailbox = filing.mailbox.only_script, filing.mailbox.id
        if only is None:
            return None
        active[mailbox] = StandingScript(only.id, only.name, only.digest, mailbox)
    return StandingScripts((), (), active)


def _filter(
    db: Connection,
    scripts: StandingScripts,
    filing: Filing,
    messages: dict[bytes, Message],
    versions: Versions,
    arrived: Arrived,
) -> Filtered | None:
    """`messages` are what mailboxes of one verdict share, by its fields."""
    verdict = arrived.verdicts.get(filing.mailbox.id, NOT_JUDGED)
    if verdict.fields not in messages:
        messages[verdict.fields] = Message(verdict.fields + arrived.content)
    environment = dict(environment_of(arrived.client)) | dict(verdict.scores)
    envelope = _envelope_of(filing, arrived)
    return decide(
        db,
        scripts,
        filing.mailbox,
        filing.recipient,
        messages[verdict.fields],
        envelope,
        environment,
        verdict,
        versions=versions,
    )


def _failure(failed: Failed, host: MailboxHost) -> ScriptFailure:
    script = failed.script
    is_own = script.mailbox is not None and not host.was_seen(FAILURE, script.digest)
    return ScriptFailure(script.name, script.digest, failed.error, is_own)


def _envelope_of(filing: Filing, arrived: Arrived) -> ScriptEnvelope:
    envelope = arrived.envelope
    return ScriptEnvelope(
        sender="" if envelope.reverse_path is None else str(envelope.reverse_path),
        recipient=str(filing.recipient.address),
        notify=filing.recipient.notify,
        orcpt=filing.recipient.orcpt,
        ret=envelope.ret,
        envid=envelope.envid,
        login=arrived.client.login,
    )
