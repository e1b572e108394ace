"""IDLE (RFC 2177): what happens in the selected folder is told at once, until DONE.

A tagged command instead of DONE (iOS sends `IDLE` again) is answered BAD, and idling goes on. An untagged OK every two
minutes keeps middle boxes from forgetting the connection.
"""

import asyncio

from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, bad, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Plain
from transport.imap.wire.reader import Hopeless


@handles("IDLE", states=LOGGED_IN, refreshes=True, answers_first=True)
async def idle(session: Session, command: Plain) -> Reply:
    session.write(b"+ idling\r\n")  # K-9 drops what comes before it
    session.connection.flush()
    await session.refresh()
    session.tell(expunges=True)
    while True:
        line = session.connection.reader.next_line()
        if line is None:
            await _wait(session)
        elif isinstance(line, Hopeless):
            return bad("DONE expected")
        elif line.strip().upper() == b"DONE":
            return ok("Idled")
        else:
            tag = line.split(b" ", 1)[0][:64]
            if tag.isalnum():
                session.write(bad("DONE expected").line(tag))
                await session.connection.drain()


async def _wait(session: Session) -> None:
    """Wait for a line or for news, and tell the news: exactly those of NOTIFY, if there was one (RFC 5465 §4)."""
    if not session.has_news:
        try:
            async with asyncio.timeout(session.services.still_here_seconds):
                await session.connection.wait_for_input()
        except TimeoutError:
            session.write(b"* OK Still here\r\n")
    if session.has_news:
        await session.push(expunges=True)
