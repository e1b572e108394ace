"""COMPRESS=DEFLATE's two streams (RFC 4978), pure: raw deflate (RFC 1951), flushed wherever the other side may wait.

What comes in is inflated a piece at a time, as the session asks for it: a few kilobytes that would inflate to
gigabytes never do so at once. A piece ends at a flush, so that what follows the last compressed command is still as it
came (RFC 8437 §4.1).
"""

import zlib

PIECE = 65_536
"""Inflated octets at once."""
LEVEL = 3
RAW = -15  # no header, a window of 32 KiB
_FLUSH = b"\x00\x00\xff\xff"  # the empty block of Z_SYNC_FLUSH
_LAST_BLOCK = b"\x03\x00"  # an empty one, as Z_FINISH adds after a flush


class BadDeflate(Exception):
    """What came is no deflate stream."""


class Inflater:
    """The client's stream."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(RAW)
        self._waiting = bytearray()

    def __len__(self) -> int:
        """Octets that came and are not inflated yet."""
        return len(self._waiting)

    def feed(self, data: bytes) -> None:
        self._waiting += data

    def piece(self) -> bytes:
        """The next octets, at most PIECE; b"" when all is inflated. Raises BadDeflate."""
        inflated = b""
        try:
            while not inflated and self._waiting:
                end = self._waiting.find(_FLUSH)
                size = len(self._waiting) if end < 0 else end + len(_FLUSH)
                inflated = self._stream.decompress(self._waiting[:size], PIECE)
                size -= len(self._stream.unconsumed_tail)
                del self._waiting[: size - len(self._stream.unused_data)]
                if self._stream.eof:  # the client closed its stream: the next one begins
                    self._stream = zlib.decompressobj(RAW)
            if not inflated and not self._waiting:  # what did not fit may wait within
                inflated = self._stream.decompress(b"", PIECE)
        except zlib.error as error:
            raise BadDeflate(str(error)) from None
        return inflated

    def rest(self) -> bytes:
        """What came after the stream, which ends here, with a last block of its own or without."""
        return bytes(self._waiting.removeprefix(_LAST_BLOCK))


class Deflater:
    """The server's stream. Its window is dropped by `forget`, and grows again with the next octets."""

    def __init__(self) -> None:
        self._stream: zlib._Compress | None = None

    def deflate(self, data: bytes) -> bytes:
        """The octets that carry `data`, all of it readable when they have come."""
        if self._stream is None:
            self._stream = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def forget(self) -> None:
        """Free the window: after a flush a new compressor may go on, since it refers to nothing before it."""
        self._stream = None

    def end(self) -> bytes:
        """The stream's last block."""
        stream = self._stream or zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
        self._stream = None
        return stream.flush(zlib.Z_FINISH)
