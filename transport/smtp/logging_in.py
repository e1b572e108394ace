"""The AUTH command's dialogue: RFC 4954 over the SASL mechanisms, then the login."""

import logging

from accounts.entries import Login, LoginRefused
from transport.logins import log_in
from transport.sasl.mechanisms import (
    MECHANISMS,
    RESPONSE_MAXIMUM,
    Challenge,
    Credentials,
    SaslError,
    decode_response,
)
from transport.smtp.incoming import LineTooLong
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
        exchange = mechanism()
        step = exchange.step(decode_response(words[1]) if len(words) == 2 else None)
        while isinstance(step, Challenge):
            step = exchange.step(await _response_to(session, step))
    except LineTooLong:
        return "500 5.5.6 the response is too long"
    except SaslError as error:
        return f"501 5.5.2 {error}"
    return await _check(session, step)


async def _response_to(session: SmtpSession, challenge: Challenge) -> bytes:
    session.say(f"334 {challenge.encoded()}")
    line = await session.incoming.line(RESPONSE_MAXIMUM, COMMAND_SECONDS)
    if line == b"*":
        raise SaslError("cancelled")
    return decode_response(line)


async def _check(session: SmtpSession, credentials: Credentials) -> Login | str:
    try:
        outcome = await log_in(
            session.service.database,
            credentials.login,
            credentials.password,
            session.client_address,
        )
    except Exception:
        log.exception("%s: a login could not be checked", session.client_address)
        return "454 4.7.0 the login cannot be checked at the moment"
    if isinstance(outcome, Login):
        return outcome
    assert isinstance(outcome, LoginRefused)
    log.info("%s: login refused: %s", session.client_address, outcome.reason)
    if outcome.reason == "throttled":
        return "454 4.7.0 too many failures, try later"
    return WRONG
