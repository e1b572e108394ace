"""Folder names on the wire (RFC 9051 §5.1), pure."""

from transport.imap.wire.responses import astring, utf8_string
from transport.imap.wire.utf7 import encode_folder_name


def render_folder_name(name: str, *, utf8: bool = False) -> bytes:
    """An astring: modified UTF-7, or UTF-8 where the session's mode has it (`Session.utf8`)."""
    encoded = name.encode("utf-8", "replace") if utf8 else encode_folder_name(name)
    written = astring(encoded)
    return utf8_string(encoded) if utf8 and written != encoded else written


def list_line(attributes: bytes, name: str, *, utf8: bool, old_name: str = "") -> bytes:
    """LIST of one name; `old_name` is what it was, or what the client wrote (RFC 9051 §6.3.9.7)."""
    old = b' ("OLDNAME" (%b))' % render_folder_name(old_name, utf8=utf8) if old_name else b""
    return b'* LIST (%b) "/" %b%b\r\n' % (attributes, render_folder_name(name, utf8=utf8), old)
