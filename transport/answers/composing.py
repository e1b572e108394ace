"""Header fields and texts of messages that this server writes for a user. Pure.

Words of others never break a line of the header: control characters become spaces. Text that is not ASCII is encoded, in
fields by RFC 2047 and in bodies as quoted-printable, so that every next hop takes it.
"""

import quopri
import re
from collections.abc import Iterable
from email.header import Header

from accounts.mailstore.headers import HeaderAddress, decode_words, parse_addresses

FIELD_MAXIMUM = 2000  # characters of one field's text
LINE_MAXIMUM = 900  # octets of a line of a text that goes as it is (RFC 5322 §2.1.1: 998)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~. ]*")


def text_field(name: str, text: str) -> bytes:
    """A field of free text, as Subject is."""
    text = one_line(text)[:FIELD_MAXIMUM]
    is_plain = text.isascii() and max(map(len, text.split(" "))) <= LINE_MAXIMUM
    charset = "us-ascii" if is_plain else "utf-8"  # encoded words can be cut
    value = Header(text, charset, maxlinelen=76, header_name=name).encode(linesep="\r\n")
    return f"{name}: {value}\r\n".encode("ascii", "replace")


def address_field(name: str, address: str) -> bytes:
    """A field of one address, with a display name or without."""
    parsed = parse_addresses(one_line(address).encode("utf-8", "replace"))
    shown = _shown(parsed[0]) if parsed else f"<{one_line(address)}>"
    return f"{name}: {shown}\r\n".encode("utf-8", "replace")


def ids_field(name: str, ids: Iterable[str]) -> bytes:
    """A field of message ids, one a line."""
    value = "\r\n ".join(ids)
    return f"{name}: {value}\r\n".encode("ascii", "replace")


def text_part(text: str) -> bytes:
    """A text as a MIME entity: its fields, an empty line, its body."""
    lines = (
        text.encode("utf-8", "replace")
        .decode()
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .rstrip("\n")
    )
    body = lines.encode()
    if lines.isascii() and max(map(len, body.split(b"\n"))) <= LINE_MAXIMUM:
        fields = "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n"
    else:
        fields = (
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
        )
        body = quopri.encodestring(body)
    return fields.encode() + b"\r\n" + body.replace(b"\n", b"\r\n") + b"\r\n"


def one_line(text: str) -> str:
    """Text that stays within one line of a header."""
    return _CONTROL.sub(" ", text).strip()


def _shown(address: HeaderAddress) -> str:
    path = f"<{one_line(address.local_part)}@{one_line(address.domain)}>"
    display = one_line(decode_words(address.display.encode("utf-8", "surrogateescape")))
    if not display:
        return path
    if not display.isascii():
        return f"{Header(display[:200], 'utf-8').encode(linesep='')} {path}"
    if _ATOMS.fullmatch(display):
        return f"{display} {path}"
    quoted = display.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" {path}'
