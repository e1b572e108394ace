"""Modified UTF-7 of folder names (RFC 3501 §5.1.3), pure."""

import binascii
import re

# A run of base64 between "&" and "-"; "&-" is the ampersand itself.
_SHIFT = re.compile(rb"&([A-Za-z0-9+,]*)-")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+|&")


class FolderNameError(ValueError):
    """These bytes are no modified UTF-7."""


def decode_folder_name(name: bytes) -> str:
    """The name as text. Raises FolderNameError.

    Bytes over 0x7F are read as UTF-8, as RFC 9051 §5.1 has them.
    """
    text: list[str] = []
    position = 0
    while (start := name.find(b"&", position)) >= 0:
        text.append(_plain(name[position:start]))
        match = _SHIFT.match(name, start)
        if match is None:
            raise FolderNameError("& that begins no base64")
        text.append(_decode_run(match[1]))
        position = match.end()
    text.append(_plain(name[position:]))
    return "".join(text)


def encode_folder_name(name: str) -> bytes:
    """The name as a client of IMAP4rev1 reads it."""
    return _UNPRINTABLE.sub(_encode_run, name).encode("ascii")


def _plain(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        raise FolderNameError("neither ASCII nor UTF-8") from None


def _decode_run(run: bytes) -> str:
    if not run:
        return "&"
    try:
        raw = binascii.a2b_base64(run.replace(b",", b"/") + b"=" * (-len(run) % 4))
        return raw.decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        raise FolderNameError("bad base64") from None


def _encode_run(match: re.Match[str]) -> str:
    if match.group() == "&":
        return "&-"
    raw = match.group().encode("utf-16-be", "surrogatepass")
    base64 = binascii.b2a_base64(raw, newline=False).rstrip(b"=").replace(b"/", b",")
    return f"&{base64.decode('ascii')}-"
