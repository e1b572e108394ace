"""mailto URIs of notifications (RFC 5436 §2.2, RFC 6068 §2)."""

from dataclasses import dataclass
from urllib.parse import unquote

from accounts.addresses import Address, AddressSyntaxError, parse_address

RECIPIENTS_MAXIMUM = 10


@dataclass(frozen=True, slots=True)
class MailtoUri:
    """`to` and `cc` are sent to; `subject` and `body` as the URI's fields give them, "" where it has none."""

    to: tuple[Address, ...]
    cc: tuple[Address, ...] = ()
    subject: str = ""
    body: str = ""

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Each once, and no more than are allowed."""
        return tuple({one.key: one for one in (*self.to, *self.cc)}.values())[:RECIPIENTS_MAXIMUM]


def parse_mailto(uri: str) -> MailtoUri | None:
    """A mailto URI (RFC 6068 §2); None for another one. Addresses that are none are left out, other fields too."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "mailto":
        return None
    path, _, query = rest.partition("?")
    to, cc, texts = _addresses(path), [], {"subject": "", "body": ""}
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        match name.lower():
            case "to":
                to += _addresses(value)
            case "cc":
                cc += _addresses(value)
            case "subject" | "body" as known:
                texts[known] = unquote(value, errors="replace")
    return MailtoUri(tuple(to), tuple(cc), **texts)


def _addresses(text: str) -> list[Address]:
    found = []
    for part in text.split(","):
        try:
            found.append(parse_address(unquote(part, errors="replace")))
        except AddressSyntaxError:
            continue
    return found
