"""The content of a message as DATA carries it (RFC 5321 §4.5.2, §2.3.8). Pure."""

import re
from collections.abc import Iterator

CHUNK = 256 * 1024
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")


def with_crlf(content: bytes) -> bytes:
    """The content with CRLF as its only line end, the last line included: no bare CR or LF ever leaves."""
    pairs = content.count(b"\r\n")
    if content.count(b"\n") != pairs or content.count(b"\r") != pairs:
        content = _ANY_LINE_END.sub(b"\r\n", content)
    return content if content.endswith(b"\r\n") or not content else content + b"\r\n"


def stuffed(content: bytes, chunk: int = CHUNK) -> Iterator[bytes]:
    """The content with a dot before each line that begins with one, in pieces; without the final dot."""
    before = b"\r\n"
    for start in range(0, len(content), chunk):
        piece = content[start : start + chunk]
        # the two octets before the piece decide about a dot at its start
        joined = (before + piece).replace(b"\r\n.", b"\r\n..")
        yield joined[len(before) :]
        before = (before + piece)[-2:]


def has_non_ascii_header(content: bytes) -> bool:
    """Whether the header section needs SMTPUTF8 (RFC 6532 §3); the headers of inner parts are not looked at."""
    end = content.find(b"\r\n\r\n")
    return not (content if end < 0 else content[:end]).isascii()
