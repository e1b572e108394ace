"""NOOP and CHECK (RFC 9051 §6.1.2, RFC 3501 §6.4.1): what is new is told, as after any command."""

from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.session import Session
from transport.imap.states import ANY, ONLY_SELECTED
from transport.imap.wire.commands.types import Plain


@handles("NOOP", states=ANY, refreshes=True)
async def noop(session: Session, command: Plain) -> Reply:
    return ok("Done")


@handles("CHECK", states=ONLY_SELECTED, refreshes=True)
async def check(session: Session, command: Plain) -> Reply:
    return ok("Done")
