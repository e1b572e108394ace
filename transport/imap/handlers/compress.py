"""COMPRESS=DEFLATE (RFC 4978)."""

from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, bad, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Compress


@handles("COMPRESS", states=LOGGED_IN)
async def compress(session: Session, command: Compress) -> Reply:
    if command.mechanism != "DEFLATE":
        return bad("No such mechanism")
    connection = session.connection
    if connection.is_compressed:
        return bad("Compression is on already")
    if len(connection.reader):  # §3: the client waits for the answer
        return bad("More came after it")
    session.after_reply = connection.begin_compression
    return ok("DEFLATE active")
