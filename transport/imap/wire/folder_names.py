"""Folder names on the wire (RFC 9051 §5.1), pure."""

import re

from transport.imap.wire.responses import string, utf8_string
from transport.imap.wire.utf7 import encode_folder_name

_ATOM = re.compile(rb'[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+')


def render_folder_name(name: str, *, utf8: bool = False) -> bytes:
    """An astring: modified UTF-7, or UTF-8 where the session's mode has it (`Session.utf8`)."""
    encoded = name.encode("utf-8", "replace") if utf8 else encode_folder_name(name)
    if _ATOM.fullmatch(encoded) and encoded.upper() != b"NIL":
        return encoded
    return utf8_string(encoded) if utf8 else string(encoded)
