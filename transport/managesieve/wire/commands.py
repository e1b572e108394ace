"""Commands and what each takes (RFC 5804 §4), and the strings within AUTHENTICATE. Pure."""

import re
from dataclasses import dataclass
from enum import Enum

NUMBER_MAXIMUM = 2**32 - 1

# atom = 1*1024ATOM-CHAR; ATOM-CHAR = "!" / %x23-27 / %x2A-5B / %x5D-7A / %x7C-7E
_ATOM = re.compile(rb"[!\x23-\x27\x2a-\x5b\x5d-\x7a\x7c-\x7e]{1,1024}")
# quoted = DQUOTE *1024QUOTED-CHAR DQUOTE; longer ones are taken: clients send SASL's responses in them
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPE = re.compile(rb'\\(["\\])')
_LITERAL = re.compile(rb"\{([0-9]{1,20})\+\}\r?\n")
# number = (NZDIGIT *DIGIT) / "0"
_NUMBER = re.compile(rb"0|[1-9][0-9]{0,9}")
_SPACES = re.compile(rb" +")
_HTTP = re.compile(rb"(?:GET|HEAD|POST|PUT|OPTIONS|CONNECT) [^ \"{]+ HTTP/", re.IGNORECASE)


class SyntaxBroken(Exception):
    """The client broke the syntax; the text is for it."""


class Kind(Enum):
    STRING = "a string"
    NUMBER = "a number"


@dataclass(frozen=True, slots=True)
class Signature:
    """The arguments; those from `required` on may be left out, and are not there then."""

    kinds: tuple[Kind, ...] = ()
    required: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """`strings` and `number` are its arguments, in order."""

    name: str
    strings: tuple[bytes, ...] = ()
    number: int = 0


def _strings(count: int, required: int | None = None) -> Signature:
    return Signature((Kind.STRING,) * count, count if required is None else required)


COMMANDS = {
    "AUTHENTICATE": _strings(2, 1),
    "CAPABILITY": Signature(),
    "CHECKSCRIPT": _strings(1),
    "DELETESCRIPT": _strings(1),
    "GETSCRIPT": _strings(1),
    "HAVESPACE": Signature((Kind.STRING, Kind.NUMBER), 2),
    "LISTSCRIPTS": Signature(),
    "LOGOUT": Signature(),
    "NOOP": _strings(1, 0),
    "PUTSCRIPT": _strings(2),
    "RENAMESCRIPT": _strings(2),
    "SETACTIVE": _strings(1),
    "STARTTLS": Signature(),
    "UNAUTHENTICATE": Signature(),
}


def is_http(buffer: bytes) -> bool:
    """Whether this is a browser, or a page that makes one speak to this port."""
    return _HTTP.match(buffer) is not None


def parse_command(buffer: bytes) -> Command:
    """One command, its literals in place. Raises SyntaxBroken."""
    name_match = _ATOM.match(buffer)
    if name_match is None:
        raise SyntaxBroken("A command is expected")
    name = name_match[0].upper().decode("ascii")
    signature = COMMANDS.get(name)
    if signature is None:
        raise SyntaxBroken("This is no command here")
    position = name_match.end()
    strings: list[bytes] = []
    number = 0
    for place, kind in enumerate(signature.kinds):
        spaces = _SPACES.match(buffer, position)
        if spaces is None or spaces.end() == len(buffer):
            if place >= signature.required and not buffer[position:].strip(b" "):
                break
            raise SyntaxBroken(f"{name} wants {kind.value} as argument {place + 1}")
        position = spaces.end()
        if kind is Kind.NUMBER:
            number, position = _number(buffer, position)
        else:
            string, position = _string(buffer, position)
            strings.append(string)
    if buffer[position:].strip(b" "):  # spaces at the end are forgiven
        raise SyntaxBroken(f"Something follows the arguments of {name}")
    return Command(name, tuple(strings), number)


def parse_response(buffer: bytes) -> bytes:
    """The string that answers a challenge. Raises SyntaxBroken."""
    string, position = _string(buffer, 0)
    if buffer[position:].strip(b" "):
        raise SyntaxBroken("Something follows the response")
    return string


def _string(buffer: bytes, position: int) -> tuple[bytes, int]:
    literal = _LITERAL.match(buffer, position)
    if literal is not None:
        end = literal.end() + int(literal[1])
        if end > len(buffer):
            raise SyntaxBroken("The literal is too short")
        return buffer[literal.end() : end], end
    quoted = _QUOTED.match(buffer, position)
    if quoted is None:
        raise SyntaxBroken("A string is expected")
    return _ESCAPE.sub(rb"\1", quoted[1]), quoted.end()


def _number(buffer: bytes, position: int) -> tuple[int, int]:
    digits = _NUMBER.match(buffer, position)
    if digits is None:
        raise SyntaxBroken("A number is expected")
    value = int(digits[0])
    if value > NUMBER_MAXIMUM:
        raise SyntaxBroken("The number is too large")
    return value, digits.end()
