"""Folder names on the wire (RFC 9051 §5.1), pure."""

from transport.imap.wire.responses import astring, utf8_string
from transport.imap.wire.utf7 import encode_folder_name


def render_folder_name(name: str, *, utf8: bool = False) -> bytes:
    """An astring: modified UTF-7, or UTF-8 where the session's mode has it (`Session.utf8`)."""
    encoded = name.encode("utf-8", "replace") if utf8 else encode_folder_name(name)
    written = astring(encoded)
    return utf8_string(encoded) if utf8 and written != encoded else written
