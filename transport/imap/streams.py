"""Values too large to be held: octets of a blob, perhaps decoded, sent in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.mailstore.decoding import decoder_for
from accounts.mailstore.reading import BlobReference, read_blob
from transport.database_threads import Connection
from transport.imap.session import Session

PIECE = 262_144
"""Octets of a large blob that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Window:
    """Octets of a decoded value: `length` of them from `first` on."""

    first: int
    length: int

    def cut(self, octets: bytes, at: int) -> bytes:
        """What of `octets`, which stand at `at`, is within."""
        start = max(0, self.first - at)
        return octets[start : max(start, self.first + self.length - at)]


@dataclass(frozen=True, slots=True)
class Stream:
    """A blob's octets from `start` to `end`; with an `encoding`, the decoded ones of `window`."""

    blob: BlobReference
    start: int
    end: int
    encoding: bytes = b""
    window: Window | None = None


Piece = bytes | Stream


async def send_stream(session: Session, stream: Stream) -> None:
    """Send it. Raises RuntimeError where the blob is shorter than was promised to the client."""
    decoder = decoder_for(stream.encoding or b"binary")
    assert decoder is not None
    at = 0
    for start in range(stream.start, stream.end, PIECE):
        length = min(PIECE, stream.end - start)
        octets = await session.run_long(read_blob, stream.blob, start, length)
        if len(octets) != length:
            raise RuntimeError(f"a blob is shorter than its parts say: {start} and {length}")
        octets = decoder.feed(octets)
        if start + length == stream.end:
            octets += decoder.finish()
        session.write(stream.window.cut(octets, at) if stream.window else octets)
        at += len(octets)
        await session.connection.drain()


def decoded_pieces(db: Connection, stream: Stream) -> Iterator[bytes]:
    """The decoded octets of a stream without its window, in one thread."""
    decoder = decoder_for(stream.encoding)
    assert decoder is not None
    for start in range(stream.start, stream.end, PIECE):
        yield decoder.feed(read_blob(db, stream.blob, start, min(PIECE, stream.end - start)))
    yield decoder.finish()
