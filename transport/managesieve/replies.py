"""How commands end (RFC 5804 §1.2, §1.3), and the one place where an error becomes an answer."""

import logging
import secrets
from dataclasses import dataclass

from routing.scripts.names import ScriptNameInvalid
from routing.scripts.storage import (
    NoSuchScript,
    ScriptExists,
    ScriptIsActive,
    ScriptRefused,
    ScriptTooBig,
    TooManyScripts,
)
from routing.sieve.errors import InvalidScript, ScriptError
from transport.managesieve.wire.responses import answer

ERROR_MAXIMUM = 500  # characters; an error may quote what it is about

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command ended."""

    condition: str
    text: str = ""
    code: bytes = b""

    def line(self) -> bytes:
        return answer(self.condition, self.text, self.code)


def ok(text: str = "", code: bytes = b"") -> Reply:
    return Reply("OK", text, code)


def no(text: str, code: bytes = b"") -> Reply:
    return Reply("NO", text, code)


def try_later(text: str) -> Reply:
    """What is our own failure, or will pass."""
    return no(text, b"TRYLATER")


TOO_BIG = no("The script is too big", b"QUOTA/MAXSIZE")
NO_ROOM = try_later("Too many scripts are coming in at the moment; try again later")

_REFUSALS: dict[type[ScriptRefused], tuple[str, bytes]] = {
    NoSuchScript: ("There is no script by that name", b"NONEXISTENT"),
    ScriptExists: ("There is a script by that name", b"ALREADYEXISTS"),
    ScriptIsActive: ("The active script is not deleted", b"ACTIVE"),
    TooManyScripts: ("There are too many scripts", b"QUOTA/MAXSCRIPTS"),
    ScriptTooBig: ("The script is too big", b"QUOTA/MAXSIZE"),
}


def listed(errors: tuple[ScriptError, ...]) -> str:
    """A line each (RFC 5804 §2.6)."""
    return "\r\n".join(str(error)[:ERROR_MAXIMUM] for error in errors)


def reply_to(error: Exception, *, command: str) -> Reply:
    """What the client hears of an error; what is our own failure goes to the log, under an id."""
    match error:
        case InvalidScript():
            return no(listed(error.errors))
        case ScriptNameInvalid():
            return no(str(error))
        case ScriptRefused():
            text, code = _REFUSALS[type(error)]
            return no(str(error) or text, code)
    incident = secrets.token_hex(4)
    logger.error("%s failed (%s)", command, incident, exc_info=error)
    return try_later(f"Try again later ({incident})")
