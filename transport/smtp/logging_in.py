"""The AUTH command's dialogue: RFC 4954 over the SASL mechanisms, then the login."""

import logging

from accounts.entries import Login
from accounts.throttle import explanation
from transport import logins
from transport.sasl.mechanisms import MECHANISMS, Exchange
from transport.sasl.steps import RESPONSE_MAXIMUM, Challenge, SaslError, decode_response
from transport.smtp.incoming import ConnectionLost, LineTooLong
from transport.smtp.session import COMMAND_SECONDS, SmtpSession

WRONG = "535 5.7.8 the name or the password is wrong"

log = logging.getLogger(__name__)


async def authenticate(session: SmtpSession, argument: bytes) -> Login | str:
    """Who logged in, or the reply that refuses. `argument` is what followed AUTH."""
    words = argument.split()
    mechanism = MECHANISMS.get(words[0].decode("ascii", "replace").upper()) if words else None
    if mechanism is None or len(words) > 2:
        return "504 5.5.4 this mechanism is not known here"
    try:
        initial = decode_response(words[1]) if len(words) == 2 else None
        return await _check(session, mechanism(), initial)
    except LineTooLong:
        return "500 5.5.6 the response is too long"
    except SaslError as error:
        return f"501 5.5.2 {error}"


async def _check(session: SmtpSession, exchange: Exchange, initial: bytes | None) -> Login | str:
    async def ask(challenge: Challenge) -> bytes:
        session.say(f"334 {challenge.encoded()}")
        line = await session.incoming.line(RESPONSE_MAXIMUM, COMMAND_SECONDS)
        if line == b"*":
            raise SaslError("cancelled")
        return decode_response(line)

    try:
        outcome = await logins.authenticate(
            session.service.database, exchange, initial, ask, session.client_address
        )
    except (SaslError, LineTooLong, ConnectionLost):
        raise
    except Exception:
        log.exception("%s: a login could not be checked", session.client_address)
        return "454 4.7.0 the login cannot be checked at the moment"
    if isinstance(outcome, Login):
        return outcome
    log.info("%s: login refused: %s", session.client_address, outcome.reason)
    if outcome.reason == "throttled":
        return f"454 4.7.0 {explanation(outcome)}"
    return WRONG
