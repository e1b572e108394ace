"""One exchange with a daemon on this machine or near it: what is sent, then all that it answers, within a size."""

import asyncio
from collections.abc import Iterable

from transport.filters.values import FilterError


def host_and_port(address: str) -> tuple[str, int]:
    """`HOST:PORT`, an IPv6 address in brackets. Raises ValueError."""
    host, separator, port = address.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("write an IPv6 address in brackets")
    if not (separator and host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("write HOST:PORT, or the path of a socket")
    return host, int(port)


def is_socket_path(address: str) -> bool:
    return address.startswith("/")


async def exchange(address: str, chunks: Iterable[bytes], limit: int) -> bytes:
    """All that is answered until the daemon closes. Raises OSError and FilterError; the caller bounds the time."""
    if is_socket_path(address):
        reader, writer = await asyncio.open_unix_connection(address)
    else:
        reader, writer = await asyncio.open_connection(*host_and_port(address))
    answer = asyncio.create_task(_read_all(reader, limit))
    try:
        for chunk in chunks:
            if answer.done():  # it does not want the rest
                break
            writer.write(chunk)
            try:
                await writer.drain()
            except ConnectionError:
                break  # it may have said why
        return await answer
    finally:
        answer.cancel()
        writer.transport.abort()


async def _read_all(reader: asyncio.StreamReader, limit: int) -> bytes:
    answer = bytearray()
    try:
        while block := await reader.read(16384):
            answer += block
            if len(answer) > limit:
                raise FilterError("its answer is too long")
    except ConnectionError:
        if not answer:
            raise
    if not answer:
        raise FilterError("it closed the connection without an answer")
    return bytes(answer)
