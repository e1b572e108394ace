"""The grammar of SMTP commands: RFC 5321 §4.1, RFC 6531 §3.3, RFC 3461 §4, RFC 1870, RFC 3030. Pure.

Strict where a lenient parser would pass on what the next server reads differently; tolerant of one space after
`MAIL FROM:` and `RCPT TO:` (Outlook and scripts send it). Source routes are read and dropped (RFC 5321 §4.1.1.3).
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass

from accounts.addresses import LOCAL_PART_MAXIMUM, Address, AddressSyntaxError, canonical_domain

PATH_MAXIMUM = 512  # octets; RFC 5321 §4.5.3.1.3 asks for 256 at least
ENVID_MAXIMUM = 100  # octets of the xtext, RFC 3461 §4.4
ORCPT_MAXIMUM = 500  # octets, RFC 3461 §4.2

# Dot-string = Atom *("." Atom); Atom = 1*atext; atext of RFC 5322 §3.2.3 and UTF8-non-ascii of RFC 6531 §3.3
_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\ud7ff\ue000-\U0010ffff]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# Quoted-string = DQUOTE *QcontentSMTP DQUOTE; qtextSMTP / quoted-pairSMTP
_QUOTED_STRING = re.compile(r'"((?:[ !#-\[\]-~\u0080-\ud7ff\ue000-\U0010ffff]|\\[ -~])*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
# A-d-l = At-domain *( "," At-domain ); the route ends with ":"
_SOURCE_ROUTE = re.compile(r"@[^\s@,:<>\"\[\]]+(?:,@[^\s@,:<>\"\[\]]+)*:")
_GENERAL_LITERAL = re.compile(r"[A-Za-z0-9-]*[A-Za-z0-9]:[!-Z^-~]+")
# esmtp-param = esmtp-keyword ["=" esmtp-value]
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u0080-\U0010ffff]+))?")
# xtext = *( xchar / hexchar ), RFC 3461 §4
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_ORCPT = re.compile(r"([A-Za-z0-9-]+);(.+)", re.DOTALL)
_NOTIFY_WORDS = ("SUCCESS", "FAILURE", "DELAY")


class CommandError(Exception):
    """The client broke the syntax; `str(error)` is the whole reply."""


@dataclass(frozen=True, slots=True)
class MailCommand:
    """MAIL. `reverse_path` is None for `<>`; `size` is 0 when it was not declared (octets, RFC 1870)."""

    reverse_path: Address | None
    size: int = 0
    body: str = ""
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RcptCommand:
    """RCPT. `forward_path` is None for the bare `<postmaster>`."""

    forward_path: Address | None
    notify: str = ""
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class BdatCommand:
    """BDAT (RFC 3030 §2): so many octets follow, and whether they are the last."""

    size: int
    is_last: bool


def parse_mail(argument: bytes, *, extensions: frozenset[str]) -> MailCommand:
    """`FROM:<reverse-path> [parameters]`. `extensions` are the keywords that EHLO offered. Raises CommandError."""
    path, parameters = _split(argument, "FROM", extensions)
    utf8 = "SMTPUTF8" in parameters
    _check_charset(argument, utf8)
    if parameters.get("SMTPUTF8"):
        raise CommandError("501 5.5.4 SMTPUTF8 takes no value")
    reverse_path = None if path == "" else _mailbox(path)
    size = parameters.get("SIZE", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):
        raise CommandError("501 5.5.4 SIZE takes a number")
    body = parameters.get("BODY", "").upper()
    if "BODY" in parameters and body not in ("7BIT", "8BITMIME"):
        raise CommandError("501 5.5.4 BODY is 7BIT or 8BITMIME")
    ret = parameters.get("RET", "").upper()
    if "RET" in parameters and ret not in ("FULL", "HDRS"):
        raise CommandError("501 5.5.4 RET is FULL or HDRS")
    envid = parameters.get("ENVID", "")
    if "ENVID" in parameters and not (0 < len(envid) <= ENVID_MAXIMUM and _XTEXT.fullmatch(envid)):
        raise CommandError("501 5.5.4 ENVID is no xtext of at most 100 octets")
    if "AUTH" in parameters and not _XTEXT.fullmatch(parameters["AUTH"]):
        raise CommandError("501 5.5.4 AUTH is no xtext")  # else heard, and not used: RFC 4954 §5
    return MailCommand(reverse_path, int(size), body, utf8, ret, envid)


def parse_rcpt(argument: bytes, *, smtputf8: bool, extensions: frozenset[str]) -> RcptCommand:
    """`TO:<forward-path> [parameters]`. Raises CommandError."""
    path, parameters = _split(argument, "TO", extensions)
    _check_charset(argument, smtputf8)
    if not path:
        raise CommandError("501 5.1.3 RCPT TO:<> names nobody")
    notify = parameters.get("NOTIFY", "").upper()
    if "NOTIFY" in parameters:
        words = notify.split(",")
        if words != ["NEVER"] and (
            len(set(words)) != len(words) or not set(words) <= set(_NOTIFY_WORDS)
        ):
            raise CommandError("501 5.5.4 NOTIFY is NEVER, or some of SUCCESS, FAILURE, DELAY")
    orcpt = parameters.get("ORCPT", "")
    if "ORCPT" in parameters:
        match = _ORCPT.fullmatch(orcpt)
        if not match or len(orcpt) > ORCPT_MAXIMUM or not _is_original_recipient(match):
            raise CommandError("501 5.5.4 ORCPT is no addr-type;xtext")
    forward_path = None if path.lower() == "postmaster" else _mailbox(path)
    return RcptCommand(forward_path, notify, orcpt)


def parse_bdat(argument: bytes) -> BdatCommand:
    """`chunk-size [LAST]`. Raises CommandError."""
    words = argument.split()
    if not (1 <= len(words) <= 2 and words[0].isdigit() and len(words[0]) <= 12):
        raise CommandError("501 5.5.4 Syntax: BDAT size [LAST]")
    if len(words) == 2 and words[1].upper() != b"LAST":
        raise CommandError("501 5.5.4 Syntax: BDAT size [LAST]")
    return BdatCommand(int(words[0]), len(words) == 2)


def parse_path(text: str) -> Address:
    """A Mailbox of RFC 5321 §4.1.2 without angle brackets. Raises CommandError."""
    return _mailbox(text)


def format_address(address: Address) -> str:
    """The Mailbox as it stands on the wire: the local part quoted where it must be."""
    if _DOT_STRING.fullmatch(address.local_part):
        return f"{address.local_part}@{address.domain}"
    escaped = address.local_part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"@{address.domain}'


def _split(argument: bytes, keyword: str, extensions: frozenset[str]) -> tuple[str, dict[str, str]]:
    """The path without its brackets and source route, and the parameters by upper-case keyword."""
    syntax = f"501 5.5.4 Syntax: {'MAIL' if keyword == 'FROM' else 'RCPT'} {keyword}:<address>"
    try:
        text = argument.decode()
    except UnicodeDecodeError:
        raise CommandError("501 5.5.2 the command is not UTF-8") from None
    head, colon, rest = text.partition(":")
    if not colon or head.strip().upper() != keyword:
        raise CommandError(syntax)
    rest = rest.lstrip(" ")
    if not rest.startswith("<"):
        raise CommandError(syntax)
    end = _path_end(rest)
    if end < 0:
        raise CommandError(syntax)
    if end > PATH_MAXIMUM:
        raise CommandError("501 5.1.7 the path is too long")
    path, tail = rest[1:end], rest[end + 1 :]
    if tail and not tail.startswith(" "):
        raise CommandError(syntax)
    route = _SOURCE_ROUTE.match(path)
    return path[route.end() :] if route else path, _parameters(tail, extensions)


def _path_end(text: str) -> int:
    """Where the `>` stands that closes the path: one inside a quoted string does not."""
    quoted = escaped = False
    for position, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == ">" and not quoted:
            return position
    return -1


def _parameters(tail: str, extensions: frozenset[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for word in tail.split():
        match = _PARAMETER.fullmatch(word)
        if not match:
            raise CommandError("501 5.5.4 a parameter is malformed")
        keyword = match[1].upper()
        if keyword not in extensions:
            raise CommandError(f"555 5.5.4 {keyword[:30]} is not known here")
        if keyword in parameters:
            raise CommandError(f"501 5.5.4 {keyword} is given twice")
        if match[2] is None and keyword != "SMTPUTF8":
            raise CommandError(f"501 5.5.4 {keyword} needs a value")
        parameters[keyword] = match[2] or ""
    return parameters


def _check_charset(argument: bytes, utf8: bool) -> None:
    if not utf8 and not argument.isascii():
        raise CommandError("553 5.6.7 a non-ASCII address needs SMTPUTF8")


def _mailbox(text: str) -> Address:
    """Mailbox = Local-part "@" ( Domain / address-literal )."""
    malformed = CommandError("501 5.1.3 the address is malformed")
    quoted = _QUOTED_STRING.match(text)
    if quoted:
        local_part, rest = _QUOTED_PAIR.sub(r"\1", quoted[1]), text[quoted.end() :]
    else:
        dot_string = _DOT_STRING.match(text)
        if not dot_string:
            raise malformed
        local_part, rest = dot_string[0], text[dot_string.end() :]
    if not rest.startswith("@"):
        raise malformed
    if len(local_part) > 2 * LOCAL_PART_MAXIMUM:  # before it is composed, which may take long
        raise malformed
    local_part = unicodedata.normalize("NFC", local_part)
    if not local_part or len(local_part.encode()) > LOCAL_PART_MAXIMUM:
        raise malformed
    return Address(local_part, _domain(rest[1:]))


def _domain(text: str) -> str:
    if text.startswith("["):
        if not (text.endswith("]") and _is_literal(text[1:-1])):
            raise CommandError("501 5.1.3 the address literal is malformed")
        return text
    if text.endswith(".") or text != text.strip():
        raise CommandError("501 5.1.3 the domain is malformed")
    try:
        return canonical_domain(text)
    except AddressSyntaxError:
        raise CommandError("501 5.1.3 the domain is malformed") from None


def _is_literal(text: str) -> bool:
    """IPv4-address-literal / IPv6-address-literal / General-address-literal, RFC 5321 §4.1.3."""
    try:
        if text[:5].upper() == "IPV6:":
            ipaddress.IPv6Address(text[5:])
            return "%" not in text
        if ":" not in text:
            ipaddress.IPv4Address(text)
            return True
    except ValueError:
        return False
    return bool(_GENERAL_LITERAL.fullmatch(text))


def _is_original_recipient(match: re.Match[str]) -> bool:
    """xtext, or for addr-type utf-8 what RFC 6533 §3 allows beside it."""
    if match[1].lower() == "utf-8":
        return not any(character in "+=" for character in match[2])
    return bool(_XTEXT.fullmatch(match[2]))
