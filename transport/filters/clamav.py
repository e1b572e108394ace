"""Asks ClamAV's clamd whether a message holds a virus: its INSTREAM command, one connection a message."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from transport.filters.streams import exchange
from transport.filters.values import FilterError

CHUNK = 256 * 1024
ANSWER_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Scan:
    """`virus` is its name, or "". `is_too_large`: clamd's StreamMaxLength is less than the message."""

    virus: str = ""
    is_too_large: bool = False


async def scan(address: str, content: bytes) -> Scan:
    """Raises OSError and FilterError; the caller bounds the time."""
    answer = await exchange(address, _stream(content), ANSWER_LIMIT)
    text = answer.rstrip(b"\0\r\n").decode("ascii", "replace")
    if text == "stream: OK":
        return Scan()
    if text.startswith("stream: ") and text.endswith(" FOUND"):
        name = re.sub(r"[^!-~]", "?", text.removeprefix("stream: ").removesuffix(" FOUND"))
        return Scan(name[:100] or "unnamed")
    if text.startswith("INSTREAM size limit exceeded"):
        return Scan(is_too_large=True)
    raise FilterError(f"it answered {text[:100]!r}")


def _stream(content: bytes) -> Iterator[bytes]:
    yield b"zINSTREAM\0"
    view = memoryview(content)
    for start in range(0, len(content), CHUNK):
        chunk = view[start : start + CHUNK]
        yield struct.pack("!L", len(chunk)) + chunk
    yield struct.pack("!L", 0)
