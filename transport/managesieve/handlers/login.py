"""AUTHENTICATE and UNAUTHENTICATE (RFC 5804 §2.1, §2.14.1); the mechanisms are `transport.sasl`'s.

Nobody acts for another account. A final message of the mechanism is a challenge that the client answers with "".
"""

from accounts.entries import Login, LoginRefused
from accounts.hashing import TooBusy
from accounts.throttle import explanation
from transport import logins
from transport.managesieve.handlers.registry import When, handles
from transport.managesieve.replies import Reply, no, ok, try_later
from transport.managesieve.session import Session
from transport.managesieve.wire.commands import Command, SyntaxBroken, parse_response
from transport.managesieve.wire.reader import Line
from transport.managesieve.wire.responses import string
from transport.sasl.mechanisms import MECHANISMS
from transport.sasl.steps import Challenge, SaslError, decode_response

FAILURES_MAXIMUM = 5
"""Failed logins before the connection is closed."""
TOO_WEAK = frozenset(("CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1"))
"""No verifier of their kinds is kept."""

_REFUSED = no("The login or the password is wrong")


@handles("AUTHENTICATE", When.BEFORE_LOGIN)
async def authenticate(session: Session, command: Command) -> Reply:
    name = command.strings[0].decode("ascii", "replace").upper()
    make_exchange = MECHANISMS.get(name)
    if make_exchange is None:
        return no("This mechanism is not offered", b"AUTH-TOO-WEAK" if name in TOO_WEAK else b"")
    if len(command.strings) > 1 and make_exchange().step(None) != Challenge(b""):
        return no("The server speaks first in this mechanism")

    async def ask(challenge: Challenge) -> bytes:
        session.write(string(challenge.encoded().encode("ascii")) + b"\r\n")
        event = await session.next_event()
        if not isinstance(event, Line):
            raise SaslError("The response is too long")
        response = parse_response(event.buffer)
        if response == b"*":
            raise SaslError("Cancelled")
        return decode_response(response)

    try:
        initial = decode_response(command.strings[1]) if len(command.strings) > 1 else None
        outcome = await logins.authenticate(
            session.services.database, make_exchange(), initial, ask, session.connection.peer
        )
    except (SaslError, SyntaxBroken) as error:
        return no(str(error))
    except TooBusy:
        return try_later("Too many logins at once; try again in a few seconds")
    return _begin(session, outcome)


def _begin(session: Session, outcome: Login | LoginRefused) -> Reply:
    match outcome:
        case LoginRefused("throttled"):
            return try_later(explanation(outcome))
        case LoginRefused():
            session.login_failures += 1
            if session.login_failures >= FAILURES_MAXIMUM:
                session.connection.interrupt("Too many failed logins")
            return _REFUSED
        case Login(mailbox_id=None):
            return no("This login has no mailbox")
        case Login():
            if not session.begin_login(outcome):
                return try_later("Too many sessions of this login are open")
            return ok("Logged in")


@handles("UNAUTHENTICATE")
async def unauthenticate(session: Session, command: Command) -> Reply:
    session.end_login()
    return ok("Logged out")
