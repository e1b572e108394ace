"""LOGIN and AUTHENTICATE PLAIN (RFC 9051 §6.2.2-3, SASL-IR: RFC 4959, PLAIN: RFC 4616).

An authorisation identity other than the login's own is refused: nobody acts for another.
"""

from accounts.authentication import Login, LoginRefused
from transport.imap.capabilities import capabilities
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, bad, no, ok
from transport.imap.session import Session
from transport.imap.states import BEFORE_LOGIN, State
from transport.imap.wire.commands.session import decode_base64
from transport.imap.wire.commands.types import Authenticate
from transport.imap.wire.commands.types import Login as LoginCommand
from transport.imap.wire.cursor import ImapSyntaxError
from transport.imap.wire.reader import Hopeless
from transport.logins import log_in

FAILURES_MAXIMUM = 5
"""Failed logins before the connection is closed."""

_REFUSED = no("The login or the password is wrong", b"AUTHENTICATIONFAILED")


@handles("LOGIN", states=BEFORE_LOGIN)
async def login(session: Session, command: LoginCommand) -> Reply:
    return await _log_in(session, command.user, command.password)


@handles("AUTHENTICATE", states=BEFORE_LOGIN)
async def authenticate(session: Session, command: Authenticate) -> Reply:
    if command.mechanism != "PLAIN":
        return no("No such mechanism", b"CANNOT")
    response = command.initial
    if response is None:
        session.write(b"+ \r\n")
        line = await session.connection.next_line()
        if isinstance(line, Hopeless) or line == b"*":
            return bad("Cancelled")
        try:
            response = decode_base64(line)
        except ImapSyntaxError as error:
            return bad(str(error))
    match response.split(b"\0"):
        case [identity, user, password] if user and password:
            if identity and identity.lower() != user.lower():
                return no("Acting for another is not allowed", b"AUTHORIZATIONFAILED")
            return await _log_in(session, user, password)
    return bad("No PLAIN response")


async def _log_in(session: Session, user: bytes, password: bytes) -> Reply:
    try:
        texts = user.decode("utf-8"), password.decode("utf-8")
    except UnicodeDecodeError:
        return _count(session, _REFUSED)
    match await log_in(session.database, *texts, session.connection.peer):
        case LoginRefused("throttled", retry_after):
            return no(f"Too many failed logins; try again in {retry_after} seconds", b"UNAVAILABLE")
        case LoginRefused():
            return _count(session, _REFUSED)
        case Login(mailbox_id=None):
            return no("This login has no mailbox", b"AUTHORIZATIONFAILED")
        case Login() as found:
            session.login = found
            session.state = State.AUTHENTICATED
            session.connection.reader.append_limit = session.services.max_message_size
            return ok("Logged in", b"CAPABILITY " + capabilities(session.state))


def _count(session: Session, reply: Reply) -> Reply:
    session.login_failures += 1
    if session.login_failures >= FAILURES_MAXIMUM:
        session.connection.interrupt("Too many failed logins")
    return reply
