"""What an attempt came to for one recipient, out of SMTP replies (RFC 5321 §4.2.1, RFC 3463, RFC 5248). Pure."""

import re
from dataclasses import dataclass
from enum import Enum

REPLY_MAXIMUM = 1000  # characters of a reply that are kept

# status-code = class "." subject "." detail, RFC 3463 §2
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?= |$)")

# What a basic code says where the server gives no enhanced one (RFC 5248 §2.1, as far as they agree).
_STATUS_OF_CODE = {
    421: "4.3.2",
    450: "4.2.0",
    451: "4.3.0",
    452: "4.3.1",
    454: "4.7.0",
    500: "5.5.2",
    501: "5.5.4",
    502: "5.5.1",
    503: "5.5.1",
    504: "5.5.4",
    521: "5.3.2",
    530: "5.7.0",
    535: "5.7.8",
    550: "5.0.0",
    551: "5.1.6",
    552: "5.2.2",
    553: "5.1.3",
    555: "5.5.4",
    556: "5.1.10",
}


class Result(Enum):
    """The three ways an attempt ends for a recipient."""

    DELIVERED = "delivered"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"


class Stage(Enum):
    """Where in the dialogue a reply came."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "end of DATA"
    LOCAL = "local delivery"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt for one recipient.

    `reply` is the peer's own words with the code, or ours when it said nothing; `host` who said it, or "".
    `is_remote`: the words are the peer's. `may_hurry`: the same attempt may be made again at once (the peer took
    as many recipients as it takes in one transaction). `passes_dsn`: the peer answers for NOTIFY=SUCCESS from here.
    """

    result: Result
    status: str
    reply: str
    host: str = ""
    stage: Stage = Stage.CONNECT
    is_remote: bool = True
    may_hurry: bool = False
    passes_dsn: bool = False


def outcome_of_reply(code: int, text: str, stage: Stage, host: str = "") -> Outcome:
    """What a reply of the peer means for the recipients that it speaks of.

    552 to RCPT means too many recipients, whatever its first digit (RFC 5321 §4.5.3.1.10), unless it says more.
    What goes wrong before MAIL is about the connection, so a permanent reply there is taken as temporary, except
    521 and 556 (RFC 7504): the host will never take mail.
    """
    status = enhanced_status(code, text)
    result = {2: Result.DELIVERED, 5: Result.PERMANENT}.get(code // 100, Result.TEMPORARY)
    is_too_many = stage is Stage.RCPT and (
        code == 452 or (code == 552 and not _ENHANCED.match(text))
    )
    if is_too_many and status in ("4.3.1", "4.5.3", "5.2.2"):
        result, status = Result.TEMPORARY, "4.5.3"
    before_mail = stage not in (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.CONTENT, Stage.LOCAL)
    if before_mail and code not in (521, 556) and result is Result.PERMANENT:
        result, status = Result.TEMPORARY, "4" + status[1:]
    return Outcome(
        result,
        status,
        f"{code} {text}"[:REPLY_MAXIMUM],
        host,
        stage,
        may_hurry=is_too_many and status == "4.5.3",
    )


def temporary(status: str, text: str, host: str = "", stage: Stage = Stage.CONNECT) -> Outcome:
    """Our own finding that it did not work this time."""
    return Outcome(Result.TEMPORARY, status, text[:REPLY_MAXIMUM], host, stage, is_remote=False)


def permanent(status: str, text: str, host: str = "", stage: Stage = Stage.CONNECT) -> Outcome:
    """Our own finding that it will never work."""
    return Outcome(Result.PERMANENT, status, text[:REPLY_MAXIMUM], host, stage, is_remote=False)


def enhanced_status(code: int, text: str) -> str:
    """The enhanced status of a reply: its own if it fits the code, or what the code says."""
    match = _ENHANCED.match(text)
    if match and match[1] == str(code)[0]:
        return match[0]
    return _STATUS_OF_CODE.get(code, f"{code // 100}.0.0" if code // 100 in (2, 4, 5) else "4.0.0")
