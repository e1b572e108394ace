"""Content-Transfer-Encodings undone piece by piece, whatever the size (RFC 2045 §6.7, §6.8), pure.

Nothing is refused: what is no base64 is passed over, a broken escape of quoted-printable stands for itself.
"""

import binascii
import string
from typing import Protocol

_BASE64 = (string.ascii_letters + string.digits + "+/=").encode()
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_LINE_LIMIT = 65_536
"""A line of quoted-printable that is longer is decoded before its end has come."""
_TAIL = 3  # the octets at the end of such a line that may belong to an escape


class Decoder(Protocol):
    """Takes pieces in order and gives what has become certain; `finish` gives the rest."""

    def feed(self, octets: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


def decoder_for(encoding: bytes) -> Decoder | None:
    """A decoder for a Content-Transfer-Encoding in lower case; None for one that is not known."""
    match encoding:
        case b"7bit" | b"8bit" | b"binary":
            return _Identity()
        case b"base64":
            return _Base64()
        case b"quoted-printable":
            return _QuotedPrintable()
    return None


class _Identity:
    def feed(self, octets: bytes) -> bytes:
        return octets

    def finish(self) -> bytes:
        return b""


class _Base64:
    """Up to the padding, or the end; a last group without padding counts, as far as it holds octets."""

    def __init__(self) -> None:
        self._rest = b""
        self._has_ended = False

    def feed(self, octets: bytes) -> bytes:
        if self._has_ended:
            return b""
        clean = self._rest + octets.translate(None, _NOT_BASE64)
        before, padding, _ = clean.partition(b"=")
        self._has_ended = bool(padding)
        whole = len(before) // 4 * 4
        self._rest = before[whole:]
        return binascii.a2b_base64(before[:whole])

    def finish(self) -> bytes:
        rest, self._rest = self._rest, b""
        return binascii.a2b_base64(rest + b"=" * (4 - len(rest))) if len(rest) > 1 else b""


class _QuotedPrintable:
    """Line by line, since an escape may stand across two pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> bytes:
        held = self._rest + octets
        end = held.rfind(b"\n") + 1
        if not end and len(held) > _LINE_LIMIT:
            escape = held.find(b"=", len(held) - _TAIL)
            end = escape if escape >= 0 else len(held)
        self._rest = held[end:]
        return binascii.a2b_qp(held[:end])

    def finish(self) -> bytes:
        rest, self._rest = self._rest, b""
        return binascii.a2b_qp(rest)
