"""A message's bytes to what the store keeps of them: ENVELOPE, BODYSTRUCTURE, offsets, sort keys, search text.

One bounded pass that never raises, whatever the bytes. Pure. The work is done by the modules beside this one.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from accounts.mailstore.body_structures import render_body
from accounts.mailstore.charsets import decode_text
from accounts.mailstore.dates import parse_date
from accounts.mailstore.encoded_words import decode_words
from accounts.mailstore.entities import Header, parse_entities
from accounts.mailstore.envelopes import AddressBudget, AddressLists, render_envelope
from accounts.mailstore.header_addresses import RawAddress
from accounts.mailstore.previews import preview
from accounts.mailstore.search_texts import FIELD_TEXT_LIMIT, fold, search_text
from accounts.mailstore.sections import pack_parts
from accounts.mailstore.subjects import base_subject

MESSAGE_ID_LIMIT = 998
REFERENCES_LIMIT = 100

_MESSAGE_ID = re.compile(rb"<([^<>\s]{1,%d})>" % MESSAGE_ID_LIMIT)
_QUOTED_LOCAL_PART = re.compile(rb'"((?:[^"\\]|\\.)*+)"(@.*)')
_ODD_ADDRESS = re.compile(r'[(")\s]@|@[\s("]')
_SORT_KEY_LIMIT = 250


@dataclass(frozen=True, slots=True)
class Structure:
    """Derived from a message once, at delivery.

    `envelope`, `body`, `body_structure` are IMAP wire, parenthesised, ready to send (RFC 9051 §7.5.2); `parts` is the
    table that `sections.find_part` reads, its offsets relative to the content.

    `message_id` and `reference_ids` are without angle brackets, normalised as RFC 5256 §2.2 says. The sort keys are
    those of RFC 5256 §3, folded: `base_subject`, and the local part of the first address of each field; `display_from`
    and `display_to` are RFC 5957's. `is_reply`: the subject has a mark of a reply or a forward. `sent_at`
    (UTC) and `sent_on` (the day as written, RFC 9051 §6.4.4 SENTON) are from the Date field, None if it is missing or
    unreadable.

    `preview` is the beginning of the text (`previews`).

    `subject`, `sender` (From), `recipients` (To), `copied` (Cc), `header`, `text` are folded search text
    (`search_texts.fold`), without NUL, bounded. `header` holds each field as "\\nname: value" with no line break in
    the value: SEARCH HEADER x y is the regex `\\nx *:[^\\n]*y`. Bcc is searched there.
    """

    envelope: bytes
    body: bytes
    body_structure: bytes
    parts: bytes
    preview: str
    message_id: str
    reference_ids: tuple[str, ...]
    base_subject: str
    is_reply: bool
    sort_from: str
    sort_to: str
    sort_cc: str
    display_from: str
    display_to: str
    sent_at: datetime | None
    sent_on: date | None
    subject: str
    sender: str
    recipients: str
    copied: str
    header: str
    text: str


def render(content: bytes) -> Structure:
    """Everything above of one message (CRLF line ends; bare LF is taken too)."""
    root = parse_entities(content)
    header, budget = root.header, AddressBudget()
    addresses = AddressLists(header, budget)
    envelope = render_envelope(header, addresses)
    rendered = render_body(content, root, budget)
    sent = parse_date(header.get(b"date") or b"")
    searched = search_text(content, root)
    message_ids = _message_ids(header.get(b"message-id") or b"")
    subject, is_reply = base_subject(searched.subject)
    return Structure(
        envelope=envelope,
        body=rendered.body,
        body_structure=rendered.structure,
        parts=pack_parts(root),
        preview=preview(content, root),
        message_id=message_ids[0] if message_ids else "",
        reference_ids=_references(header),
        base_subject=subject,
        is_reply=is_reply,
        sort_from=_sort_key(addresses.sender_fields[0]),
        sort_to=_sort_key(addresses.recipient_fields[0]),
        sort_cc=_sort_key(addresses.recipient_fields[1]),
        display_from=_display_key(addresses.sender_fields[0]),
        display_to=_display_key(addresses.recipient_fields[0]),
        sent_at=sent.at if sent else None,
        sent_on=sent.on if sent else None,
        subject=searched.subject,
        sender=_with_addresses(searched.sender, addresses.sender_fields[0]),
        recipients=_with_addresses(searched.recipients, addresses.recipient_fields[0]),
        copied=_with_addresses(searched.copied, addresses.recipient_fields[1]),
        header=searched.header,
        text=searched.text,
    )


def _references(header: Header) -> tuple[str, ...]:
    """The thread's ids, oldest first: References, else the first of In-Reply-To (RFC 5256 §3 REFERENCES).

    Of a long list, the first (the thread's root) and the last.
    """
    found = _message_ids(header.get(b"references") or b"")
    if not found:
        found = _message_ids(header.get(b"in-reply-to") or b"")[:1]
    if len(found) > REFERENCES_LIMIT:
        found = [found[0], *found[1 - REFERENCES_LIMIT :]]
    return tuple(found)


def _message_ids(value: bytes) -> list[str]:
    """Message ids, a quoted local part unquoted; without a bracketed one, nothing (RFC 5256 §2.2)."""
    ids = _MESSAGE_ID.findall(value[: 64 * 1024])
    return [_normal_id(found).decode("utf-8", "replace") for found in ids]


def _normal_id(message_id: bytes) -> bytes:
    match = _QUOTED_LOCAL_PART.fullmatch(message_id) if message_id.startswith(b'"') else None
    return re.sub(rb"\\(.)", rb"\1", match[1]) + match[2] if match else message_id


def _sort_key(addresses: list[RawAddress]) -> str:
    """The local part of the first address, which may be a group's name (RFC 5256 §3)."""
    if not addresses:
        return ""
    local_part = (addresses[0].local_part or b"").decode("utf-8", "replace")
    return fold(decode_words(local_part))[:_SORT_KEY_LIMIT]


def _display_key(addresses: list[RawAddress]) -> str:
    """The first address's name, or itself where it has none (RFC 5957 §3)."""
    if not addresses:
        return ""
    display, local_part, domain, _ = addresses[0]
    if not display:
        display = local_part or b""
        if domain is not None:
            display += b"@" + domain
    return fold(decode_words(display))[:_SORT_KEY_LIMIT]


def _with_addresses(text: str, addresses: list[RawAddress]) -> str:
    """Search text of an address field; where comments or quotes stand in addresses, those of the ENVELOPE are added,
    which is what SEARCH FROM, TO and CC look at (RFC 9051 §6.4.4)."""
    if _ODD_ADDRESS.search(text) is None:
        return text
    plain = [b"%b@%b" % (local, domain) for _, local, domain, _ in addresses if local and domain]
    return f"{text} {fold(decode_text(b' '.join(plain), ''))}"[: 2 * FIELD_TEXT_LIMIT]
