"""What a consignment puts into the outbound queue: what is sent on, what is filed later, and what scripts send."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.conf import settings

from accounts.addresses import Address
from accounts.directory import local_domains, srs_address
from routing.decisions import Sending
from routing.verdicts import NOT_JUDGED
from transport.consignments import Consignment, path_text
from transport.database_threads import Connection
from transport.queue.enqueue import QueueRecipient, QueueRequest
from transport.script_orders import Mail
from transport.smtp.syntax import format_address

Signatures = Mapping[bytes | None, bytes]
"""DKIM signatures by content, None for the message as it came."""


def requests_of(
    db: Connection, consignment: Consignment, mails: Sequence[Mail], signatures: Signatures
) -> list[QueueRequest]:
    """All of them, in the transaction that writes them."""
    signature = signatures.get(None, b"")
    return [
        *(
            _sending_request(db, consignment, sending, signature)
            for sending in consignment.plan.sendings
        ),
        *_refiling_requests(consignment),
        *_mail_requests(db, consignment, mails, signatures),
    ]


def _sending_request(
    db: Connection, consignment: Consignment, sending: Sending, signature: bytes
) -> QueueRequest:
    reverse_path = consignment.envelope.reverse_path
    if sending.forwarder and not consignment.client.login and reverse_path is not None:
        reverse_path = srs_address(db, sending.forwarder, format_address(reverse_path))
    return _request(
        consignment,
        reverse_path,
        sending.forwarder or consignment.sender_domain or settings.MAIL_HOSTNAME,
        tuple(
            QueueRecipient(format_address(to.address), to.notify, to.orcpt)
            for to in sending.recipients
        ),
        signature + consignment.head,
    )


def _mail_requests(
    db: Connection, consignment: Consignment, mails: Sequence[Mail], signatures: Signatures
) -> list[QueueRequest]:
    """What scripts send, one request each: it has a prefix of its own."""
    if not mails:
        return []
    sender = consignment.envelope.reverse_path
    domains = {to.domain for mail in mails for to in mail.recipients}
    local = local_domains(db, domains | ({sender.domain} if sender is not None else set()))
    return [_mail_request(db, consignment, signatures, mail, local) for mail in mails]


def _mail_request(
    db: Connection,
    consignment: Consignment,
    signatures: Signatures,
    mail: Mail,
    local: frozenset[str],
) -> QueueRequest:
    reverse_path = mail.reverse_path
    if mail.is_forward and reverse_path is not None:
        leaves = any(to.domain not in local for to in mail.recipients)
        is_ours = consignment.client.login or reverse_path.domain in local
        # so that SPF holds at the next hop, and for nobody else's domain where a script has edited the message
        if leaves and (mail.content is not None or not is_ours):
            reverse_path = srs_address(db, mail.domain_name, format_address(reverse_path))
    request = _request(
        consignment,
        reverse_path,
        mail.domain_name,
        tuple(
            QueueRecipient(format_address(to), mail.notify, mail.orcpt, is_local=to.domain in local)
            for to in mail.recipients
        ),
        signatures.get(mail.content, b"") + mail.prefix,
    )
    if mail.is_forward:
        return request if mail.content is None else replace(request, content=mail.content)
    return replace(
        request, content=mail.content or b"", login="", ret="", envid="", body="", smtputf8=False
    )


def _refiling_requests(consignment: Consignment) -> list[QueueRequest]:
    """One request a mailbox: each copy has its own Delivered-To, which the queue's prefix keeps.

    Nobody hears of spam that could not be filed.
    """
    reverse_path = consignment.envelope.reverse_path
    return [
        _request(
            consignment,
            reverse_path,
            consignment.sender_domain or settings.MAIL_HOSTNAME,
            (
                QueueRecipient(
                    refiling.mailbox.address,
                    "NEVER"
                    if consignment.verdicts.get(refiling.mailbox.id, NOT_JUDGED).is_spam
                    else refiling.recipient.notify,
                    refiling.recipient.orcpt,
                    is_local=True,
                ),
            ),
            consignment.head_for(refiling.mailbox.id),
        )
        for refiling in consignment.plan.refilings
    ]


def _request(
    consignment: Consignment,
    reverse_path: Address | None,
    domain_name: str,
    recipients: tuple[QueueRecipient, ...],
    prefix: bytes,
) -> QueueRequest:
    envelope = consignment.envelope
    return QueueRequest(
        trace_id=consignment.trace_id,
        content=consignment.content,
        reverse_path=path_text(reverse_path),
        domain_name=domain_name,
        recipients=recipients,
        prefix=prefix,
        login=consignment.client.login,
        ret=envelope.ret,
        envid=envelope.envid,
        body=envelope.body,
        smtputf8=envelope.smtputf8,
    )
