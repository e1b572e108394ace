"""The bytes of DATA: its end, dot-stuffing, and line ends. RFC 5321 §4.5.2, §2.3.8. Pure.

Only CR LF . CR LF ends the data. A bare CR or LF in the content becomes CR LF after that end is found, so that
nobody can hide a second message from one of two servers (SMTP smuggling).
"""

import re

_END = b"\r\n.\r\n"
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class DataDecoder:
    """Takes chunks as they come. `feed` returns None until the end, then the octets that follow it."""

    def __init__(self, size_maximum: int) -> None:
        self._maximum = size_maximum
        self._buffer = bytearray(
            b"\r\n"
        )  # the line end of the DATA command: content may begin with its end
        self.is_too_large = False
        self.is_dropped = False

    @property
    def octets_held(self) -> int:
        return len(self._buffer)

    def drop(self) -> None:
        """Keep nothing from here on; only the end is looked for."""
        self.is_dropped = True
        del self._buffer[: -len(_END)]

    def feed(self, chunk: bytes) -> bytes | None:
        """Take a chunk; once the end was found, what stands after it (perhaps nothing)."""
        searched = max(0, len(self._buffer) - len(_END) + 1)
        self._buffer += chunk
        end = self._buffer.find(_END, searched)
        if end >= 0:
            rest = bytes(self._buffer[end + len(_END) :])
            del self._buffer[end + 2 :]
            self.is_too_large = self.is_too_large or len(self._buffer) - 2 > self._maximum
            return rest
        if len(self._buffer) - 2 > self._maximum + len(_END):
            self.is_too_large = True
        if self.is_too_large or self.is_dropped:
            del self._buffer[: -len(_END)]
        return None

    def content(self) -> bytes:
        """The message, dots unstuffed, every line end CR LF. Call it once, after the end."""
        buffer = self._buffer
        if b"\r\n." in buffer:
            buffer = buffer.replace(b"\r\n.", b"\r\n")
        return with_crlf(bytes(memoryview(buffer)[2:]))


def with_crlf(content: bytes) -> bytes:
    """The content with every bare CR or LF made CR LF, and a final line end if there is any content."""
    pairs = content.count(b"\r\n")
    if content.count(b"\n") != pairs or content.count(b"\r") != pairs:
        content = _BARE.sub(b"\r\n", content)
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return content
