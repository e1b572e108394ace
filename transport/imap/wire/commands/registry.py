"""From one command's bytes to `Tagged`: the tag, the name and the typed command (RFC 9051 §6), pure.

Each module of this package registers the parsers of its commands with `parses`; a new one is found by its being here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from transport.imap.wire.commands.types import Command
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.modes import Modes

Parser = Callable[[Cursor, str], Command]

_PARSERS: dict[str, Parser] = {}

# A web browser's or a scanner's first line
_HTTP = re.compile(rb"[A-Z]{3,10} \S+ HTTP/[0-9.]+$")


@dataclass(frozen=True, slots=True)
class Tagged:
    """One command. `name` has the UID prefix: "UID FETCH"."""

    tag: bytes
    name: str
    command: Command


@dataclass(frozen=True, slots=True)
class Unparsable:
    """One command that is none. `tag` is b"*" when even that is missing."""

    tag: bytes
    text: str
    condition: str = "BAD"
    code: bytes = b""


def parses(*names: str) -> Callable[[Parser], Parser]:
    """Register the parser of the commands `names`: `parser(cursor after the name, name)`, up to the end."""

    def register(parser: Parser) -> Parser:
        for name in names:
            _PARSERS[name] = parser
        return parser

    return register


def parse_command(buffer: bytes, modes: Modes | None = None) -> Tagged | Unparsable:
    """Read a command as the session's modes have it; never raises."""
    cursor = Cursor(buffer, modes=modes)
    tag = b"*"
    try:
        tag = cursor.tag()
        cursor.space()
        name = cursor.keyword()
        if name == "UID":
            cursor.space()
            name = f"UID {cursor.keyword()}"
        parser = _PARSERS.get(name)
        if parser is None:
            return Unparsable(tag, "unknown command")
        command = parser(cursor, name)
        cursor.end()
    except ImapSyntaxError as error:
        return Unparsable(tag, str(error), code=error.code)
    return Tagged(tag, name, command)


def is_http(buffer: bytes) -> bool:
    """Whether a line is HTTP's, to which a mail server does not answer."""
    return _HTTP.match(buffer) is not None
