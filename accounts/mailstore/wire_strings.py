"""Bytes as IMAP strings of a response. RFC 9051 §4.3, RFC 3501 §4.3."""

import re

# A quoted string of printable US-ASCII needs no escape unless it holds one of two characters.
_PLAIN = re.compile(rb"[ !#-\[\]-~]*+\Z")
_QUOTABLE = re.compile(rb"[ -~]*+\Z")
# Longer header values are cut.
STRING_LIMIT = 8 * 1024


def string(value: bytes) -> bytes:
    """A quoted string; a literal if it holds other than printable US-ASCII, so that IMAP4rev1 clients cope.

    NUL is left out: neither form may hold it.
    """
    value = value[:STRING_LIMIT]
    if _PLAIN.match(value):
        return b'"%b"' % value
    if _QUOTABLE.match(value):
        return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    value = value.replace(b"\0", b"")
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """A string, or NIL for None."""
    return b"NIL" if value is None else string(value)
