"""CAPABILITY, ID, ENABLE, NAMESPACE, LOGOUT (RFC 9051 §6.1, §6.3.10; ID: RFC 2971; ENABLE: RFC 5161;
UNAUTHENTICATE: RFC 8437)."""

from transport.imap.capabilities import ENABLEABLE
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, bad, ok
from transport.imap.session import Session
from transport.imap.states import ANY, LOGGED_IN, State
from transport.imap.wire.commands.types import Enable, Id, Plain


@handles("CAPABILITY", states=ANY)
async def capability(session: Session, command: Plain) -> Reply:
    session.write(b"* CAPABILITY " + session.capabilities + b"\r\n")
    return ok("Done")


@handles("ID", states=ANY)
async def identify(session: Session, command: Id) -> Reply:
    session.write(b'* ID ("name" "Mailsite")\r\n')
    return ok("Done")


@handles("ENABLE", states=LOGGED_IN)
async def enable(session: Session, command: Enable) -> Reply:
    """What is not known is passed over (RFC 5161 §3.1)."""
    enabled = [name for name in dict.fromkeys(command.capabilities) if name in ENABLEABLE]
    for name in enabled:
        session.modes.enable(name)
    words = ["* ENABLED", *(ENABLEABLE[name] for name in enabled)]
    session.write(" ".join(words).encode("ascii") + b"\r\n")
    return ok("Done")


@handles("NAMESPACE", states=LOGGED_IN)
async def namespace(session: Session, command: Plain) -> Reply:
    """Other users' folders stand below Shared/ (RFC 2342 §5)."""
    session.write(b'* NAMESPACE (("" "/")) (("Shared/" "/")) NIL\r\n')
    return ok("Done")


@handles("STARTTLS", states=ANY)
async def starttls(session: Session, command: Plain) -> Reply:
    return bad("TLS is on already")


@handles("UNAUTHENTICATE", states=LOGGED_IN)
async def unauthenticate(session: Session, command: Plain) -> Reply:
    """Compression goes off with the command for what comes, and with the answer for what is sent (RFC 8437 §4.1)."""
    session.end_login()
    session.after_reply = session.connection.end_compression
    return ok("Logged out", b"CAPABILITY " + session.capabilities)


@handles("LOGOUT", states=ANY)
async def logout(session: Session, command: Plain) -> Reply:
    session.write(b"* BYE Logging out\r\n")
    session.deselect()
    session.state = State.LOGOUT
    return ok("Good bye")
