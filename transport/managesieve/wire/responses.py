"""What the server says: strings, and the line that ends an answer (RFC 5804 §1.2, §4). Pure."""

import re

QUOTED_MAXIMUM = 1024
"""Octets between the quotes."""

_NOT_QUOTED = re.compile(rb"[\x00\r\n]")


def string(value: bytes) -> bytes:
    """A quoted string, or a literal where it cannot be one."""
    if len(value) <= QUOTED_MAXIMUM and not _NOT_QUOTED.search(value):
        escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        if len(escaped) <= QUOTED_MAXIMUM:
            return b'"' + escaped + b'"'
    return literal(value)


def literal(value: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(value), value)


def answer(condition: str, text: str = "", code: bytes = b"") -> bytes:
    """The line that ends an answer: OK, NO or BYE."""
    words = [condition.encode("ascii")]
    if code:
        words.append(b"(" + code + b")")
    if text:
        words.append(string(text.encode("utf-8", "replace")))
    return b" ".join(words) + b"\r\n"


def capability(name: str, value: str | None = None) -> bytes:
    """One line of capabilities."""
    line = string(name.encode("ascii"))
    if value is not None:
        line += b" " + string(value.encode("utf-8"))
    return line + b"\r\n"
