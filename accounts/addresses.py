"""Addresses: the local part, the domain, and when two of them are the same.

Pure. Implements the comparison rules that this server promises for its own users (RFC 5321 §2.4 leaves the
local part to the receiving host): Unicode NFC, then case folding; the domain as lower-case A-labels
(RFC 5890, RFC 6531 §3.2). The strict wire grammar of SMTP paths is `transport.smtp.syntax`; header fields
are parsed by `accounts.mailstore.structure`.
"""

import re
import unicodedata
from dataclasses import dataclass

import idna

SUBADDRESS_SEPARATOR = "+"
SRS_PREFIX = "srs0="  # begins the addresses that stand for a reverse-path while mail is forwarded
LOCAL_PART_MAXIMUM = 64  # octets, RFC 5321 §4.5.3.1.1
DOMAIN_MAXIMUM = 255  # octets, RFC 5321 §4.5.3.1.2

# atext of RFC 5322 §3.2.3, with UTF8-non-ascii of RFC 6531 §3.3
_DOT_STRING = re.compile(
    r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\ud7ff\ue000-\U0010ffff]+(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\ud7ff\ue000-\U0010ffff]+)*"
)
_LDH_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


class AddressSyntaxError(ValueError):
    """The text is no address; the message says why, in words for an administrator."""


@dataclass(frozen=True, slots=True)
class Address:
    """One address: the local part as it was written, the domain as lower-case A-labels."""

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @property
    def key(self) -> tuple[str, str]:
        """What is compared: two addresses with one key are the same address here."""
        return canonical_local_part(self.local_part), self.domain

    @property
    def is_ascii(self) -> bool:
        """Whether the address can be sent to a server without SMTPUTF8."""
        return self.local_part.isascii()


def canonical_local_part(text: str) -> str:
    """The local part as it is compared and stored: NFC, case-folded, NFC again."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def canonical_domain(text: str) -> str:
    """The domain as lower-case A-labels, without a final dot.

    Raises AddressSyntaxError when it is no domain name (RFC 1035 §2.3.1, IDNA 2008).
    """
    name = text.strip().rstrip(".")
    if not name:
        raise AddressSyntaxError("a domain name is missing")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise AddressSyntaxError(f"{text!r} is no domain name: {error}") from None
    name = name.lower()
    if len(name) > DOMAIN_MAXIMUM or not all(
        _LDH_LABEL.fullmatch(label) for label in name.split(".")
    ):
        raise AddressSyntaxError(f"{text!r} is no domain name")
    return name


def parse_address(text: str) -> Address:
    """An address as an administrator or a client types it: `local@domain`, no display name.

    A local part that needs quotes (RFC 5321 §4.1.2) is refused: none of ours does.
    """
    local_part, at, domain = text.strip().rpartition("@")
    if not at:
        raise AddressSyntaxError(f"{text!r} has no @")
    return Address(check_local_part(local_part), canonical_domain(domain))


def check_local_part(text: str) -> str:
    """The local part in NFC; raises AddressSyntaxError when it is not a Dot-string of at most 64 octets."""
    if len(text) > 2 * LOCAL_PART_MAXIMUM:  # thousands of combining marks would take seconds
        raise AddressSyntaxError(f"{text[:LOCAL_PART_MAXIMUM]!r}... is too long")
    local_part = unicodedata.normalize("NFC", text)
    if not _DOT_STRING.fullmatch(local_part):
        raise AddressSyntaxError(f"{text!r} is no local part of an address")
    if len(local_part.encode()) > LOCAL_PART_MAXIMUM:
        raise AddressSyntaxError(f"{text!r} is longer than {LOCAL_PART_MAXIMUM} octets")
    return local_part


def split_subaddress(local_part: str) -> tuple[str, str]:
    """`name+tag` as (name, tag), RFC 5233 §4; the tag is "" when there is none.

    A leading separator starts no tag: an address always has a name.
    """
    name, separator, tag = local_part.partition(SUBADDRESS_SEPARATOR)
    return (name, tag) if separator and name else (local_part, "")
