"""LOGIN and AUTHENTICATE (RFC 9051 §6.2.2-3, SASL-IR: RFC 4959); the mechanisms are `transport.sasl`'s."""

import asyncio

from accounts.entries import Login, LoginRefused
from transport.imap.capabilities import capabilities
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, bad, no, ok
from transport.imap.session import Session
from transport.imap.states import BEFORE_LOGIN
from transport.imap.wire.commands.types import Authenticate
from transport.imap.wire.commands.types import Login as LoginCommand
from transport.imap.wire.reader import Hopeless
from transport.logins import log_in
from transport.sasl.mechanisms import MECHANISMS, Challenge, SaslError, decode_response

FAILURES_MAXIMUM = 5
"""Failed logins before the connection is closed."""

_REFUSED = no("The login or the password is wrong", b"AUTHENTICATIONFAILED")


@handles("LOGIN", states=BEFORE_LOGIN)
async def login(session: Session, command: LoginCommand) -> Reply:
    try:
        user, password = command.user.decode("utf-8"), command.password.decode("utf-8")
    except UnicodeDecodeError:
        return _count(session, _REFUSED)
    return await _log_in(session, user, password)


@handles("AUTHENTICATE", states=BEFORE_LOGIN)
async def authenticate(session: Session, command: Authenticate) -> Reply:
    make_exchange = MECHANISMS.get(command.mechanism)
    if make_exchange is None:
        return no("No such mechanism", b"CANNOT")
    exchange = make_exchange()
    try:
        step = exchange.step(command.initial)
        while isinstance(step, Challenge):
            session.write(b"+ " + step.encoded().encode("ascii") + b"\r\n")
            async with asyncio.timeout(session.services.login_seconds):
                line = await session.connection.next_line()
            if isinstance(line, Hopeless) or line == b"*":
                return bad("Cancelled")
            step = exchange.step(decode_response(line))
    except SaslError as error:
        return bad(str(error))
    except TimeoutError:
        session.connection.interrupt("Nothing was heard for too long")
        return no("Too late")
    return await _log_in(session, step.login, step.password)


async def _log_in(session: Session, user: str, password: str) -> Reply:
    match await log_in(session.database, user, password, session.connection.peer):
        case LoginRefused("throttled", retry_after):
            return no(f"Too many failed logins; try again in {retry_after} seconds", b"UNAVAILABLE")
        case LoginRefused():
            return _count(session, _REFUSED)
        case Login(mailbox_id=None):
            return no("This login has no mailbox", b"AUTHORIZATIONFAILED")
        case Login() as found:
            session.begin(found)
            return ok("Logged in", b"CAPABILITY " + capabilities(session.state))


def _count(session: Session, reply: Reply) -> Reply:
    session.login_failures += 1
    if session.login_failures >= FAILURES_MAXIMUM:
        session.connection.interrupt("Too many failed logins")
    return reply
