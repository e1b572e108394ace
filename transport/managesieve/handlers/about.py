"""CAPABILITY, NOOP, STARTTLS, LOGOUT (RFC 5804 §2.2-2.4, §2.13)."""

from transport.managesieve.capabilities import capabilities
from transport.managesieve.handlers.registry import When, handles
from transport.managesieve.replies import Reply, no, ok
from transport.managesieve.session import Session
from transport.managesieve.wire.commands import Command
from transport.managesieve.wire.responses import string


@handles("CAPABILITY", When.ANY)
async def capability(session: Session, command: Command) -> Reply:
    session.write(capabilities(owner=session.login.address if session.login else ""))
    return ok()


@handles("NOOP", When.ANY)
async def noop(session: Session, command: Command) -> Reply:
    return noop_reply(command)


def noop_reply(command: Command) -> Reply:
    """The tag comes back, if there was one."""
    return ok("Done", b"TAG " + string(command.strings[0]) if command.strings else b"")


@handles("STARTTLS", When.BEFORE_LOGIN)
async def starttls(session: Session, command: Command) -> Reply:
    """In the clear it is `transport.managesieve.clear`'s."""
    return no("TLS is on already")


@handles("LOGOUT", When.ANY)
async def logout(session: Session, command: Command) -> Reply:
    session.has_logged_out = True
    return ok("Good bye")
