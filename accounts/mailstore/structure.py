"""A message's bytes to what the store keeps of them: ENVELOPE, BODYSTRUCTURE, part offsets, sort keys, search text.

One bounded pass that never raises, whatever the bytes. Pure.
"""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Structure:
    """Derived from a message once, at delivery.

    `envelope`, `body`, `body_structure` are IMAP wire, parenthesised, ready to send (RFC 9051 §7.5.2);
    `parts` is the table that `sections.find_part` reads, its offsets relative to the content.
    `message_id` and `reference_ids` are without angle brackets. The sort keys are those of RFC 5256 §3, folded:
    `base_subject`, and the local part of the first address of each field. `sent_at` (UTC) and `sent_on` (the day as
    written, RFC 9051 §6.4.4 SENTON) are from the Date field, None if it is missing or unreadable.
    `subject`, `sender` (From), `recipients` (To), `copied` (Cc), `header`, `text` are folded search text
    (`search_texts.fold`), without NUL, bounded. `header` holds each field as "\\nname: value" with no line break in
    the value: SEARCH HEADER x y is the regex `\\nx *:[^\\n]*y`. Bcc is searched in `header`.
    """

    envelope: bytes
    body: bytes
    body_structure: bytes
    parts: bytes
    message_id: str
    reference_ids: tuple[str, ...]
    base_subject: str
    sort_from: str
    sort_to: str
    sort_cc: str
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
    raise NotImplementedError
