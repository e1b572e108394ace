"""LOGIN and AUTHENTICATE (RFC 9051 §6.2.2-3, SASL-IR: RFC 4959); the mechanisms are `transport.sasl`'s."""

import asyncio

from accounts.entries import Login, LoginRefused
from accounts.hashing import TooBusy
from accounts.throttle import explanation
from transport import logins
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, bad, no, ok
from transport.imap.session import Session
from transport.imap.states import BEFORE_LOGIN
from transport.imap.wire.commands.types import Authenticate
from transport.imap.wire.commands.types import Login as LoginCommand
from transport.imap.wire.reader import Hopeless
from transport.sasl.mechanisms import MECHANISMS
from transport.sasl.steps import Challenge, SaslError, decode_response

FAILURES_MAXIMUM = 5
"""Failed logins before the connection is closed."""

_REFUSED = no("The login or the password is wrong", b"AUTHENTICATIONFAILED")
_TOO_BUSY = no("Too many logins at once; try again in a few seconds", b"UNAVAILABLE")


@handles("LOGIN", states=BEFORE_LOGIN)
async def login(session: Session, command: LoginCommand) -> Reply:
    try:
        user, password = command.user.decode("utf-8"), command.password.decode("utf-8")
    except UnicodeDecodeError:
        return _count(session, _REFUSED)
    try:
        return _begin(
            session,
            await logins.log_in(session.services.database, user, password, session.connection.peer),
        )
    except TooBusy:
        return _TOO_BUSY


@handles("AUTHENTICATE", states=BEFORE_LOGIN)
async def authenticate(session: Session, command: Authenticate) -> Reply:
    make_exchange = MECHANISMS.get(command.mechanism)
    if make_exchange is None:
        return no("No such mechanism", b"CANNOT")

    async def ask(challenge: Challenge) -> bytes:
        session.write(b"+ " + challenge.encoded().encode("ascii") + b"\r\n")
        async with asyncio.timeout(session.services.login_seconds):
            line = await session.connection.next_line()
        if isinstance(line, Hopeless) or line == b"*":
            raise SaslError("Cancelled")
        return decode_response(line)

    try:
        return _begin(
            session,
            await logins.authenticate(
                session.services.database,
                make_exchange(),
                command.initial,
                ask,
                session.connection.peer,
            ),
        )
    except SaslError as error:
        return bad(str(error))
    except TooBusy:
        return _TOO_BUSY
    except TimeoutError:
        session.connection.interrupt("Nothing was heard for too long")
        return no("Too late")


def _begin(session: Session, outcome: Login | LoginRefused) -> Reply:
    match outcome:
        case LoginRefused("throttled"):
            return no(explanation(outcome), b"UNAVAILABLE")
        case LoginRefused():
            return _count(session, _REFUSED)
        case Login(mailbox_id=None):
            return no("This login has no mailbox", b"AUTHORIZATIONFAILED")
        case Login():
            if not session.begin(outcome):
                return no("Too many sessions of this login are open", b"LIMIT")
            return ok("Logged in", b"CAPABILITY " + session.capabilities)


def _count(session: Session, reply: Reply) -> Reply:
    session.login_failures += 1
    if session.login_failures >= FAILURES_MAXIMUM:
        session.connection.interrupt("Too many failed logins")
    return reply
