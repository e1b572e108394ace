"""Encoded words of header fields (RFC 2047, RFC 2231 §5) to text, and raw bytes in them."""

import binascii
import re

from accounts.mailstore.charsets import decode_text

# encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
# (white space in the encoded text is forbidden and yet sent)
_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,30})?\?([bBqQ])\?([^?]*)\?=(\s*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def decode_words(value: bytes | str) -> str:
    """An unfolded value as text: encoded words decoded, raw bytes as UTF-8 or else Windows-1252. Never raises.

    Control characters that the words hold become spaces: a decoded value is one line.
    """
    text = value if isinstance(value, str) else decode_text(value, "")
    if "=?" not in text:
        return text
    pieces: list[str] = []
    position = 0
    # charset and octets of the words so far: one may split a character
    pending: tuple[str, bytearray] | None = None
    for word in _ENCODED_WORD.finditer(text):
        charset, octets = word[1].lower(), _octets(word[2], word[3])
        if pending is not None and word.start() == position:
            if pending[0] == charset:
                pending[1].extend(octets)
            else:
                pieces.append(_decoded(pending))
                pending = charset, bytearray(octets)
        else:
            if pending is not None:
                pieces.append(_decoded(pending))
            pieces.append(text[position : word.start()])
            pending = charset, bytearray(octets)
        position = word.end()
        if word[4] and not text.startswith("=?", position):
            # White space is dropped only between two encoded words.
            pieces.append(_decoded(pending) + word[4])
            pending = None
    if pending is not None:
        pieces.append(_decoded(pending))
    pieces.append(text[position:])
    return "".join(pieces)


def _octets(encoding: str, text: str) -> bytes:
    octets = text.encode("utf-8", "surrogateescape" if encoding in "qQ" else "ignore")
    if encoding in "qQ":
        return binascii.a2b_qp(octets, header=True)
    return decode_base64(octets)


def decode_base64(octets: bytes) -> bytes:
    """Base64, with foreign characters passed over and what is cut off left out (RFC 2045 §6.8)."""
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        clean = _NOT_BASE64.sub(b"", octets)
        clean += b"=" * (-len(clean) % 4) if len(clean) % 4 != 1 else b""
        clean = clean[: len(clean) // 4 * 4]
        return binascii.a2b_base64(clean)


def _decoded(word: tuple[str, bytearray]) -> str:
    return _CONTROL.sub(" ", decode_text(bytes(word[1]), word[0]))
