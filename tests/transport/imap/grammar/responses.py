"""Checks that every response of a server is legal: against the ABNF of RFC 9051 §9 and its extensions (responses.abnf).

Independent of what it checks: it shares no code with the server.
"""

import re
from functools import cache
from pathlib import Path

import regex

from tests.transport.imap.grammar.abnf import Grammar

_LITERAL = re.compile(rb"(~?)\{([0-9]+)\}\r\n$")
_MATCH_SECONDS = 20


class IllegalResponse(AssertionError):
    """The server sent what the grammar does not allow; the text shows where."""


@cache
def _expression() -> "regex.Pattern[bytes]":
    return Grammar((Path(__file__).parent / "responses.abnf").read_text()).compile("response")


class ResponseChecker:
    """Checks one connection's responses in their order: what is legal depends on what was ENABLEd."""

    def __init__(self) -> None:
        self.is_utf8 = False

    def check(self, response: bytes) -> None:
        """Check one whole response with its literals; raises IllegalResponse."""
        checked = _without_literal_contents(response)
        if _expression().fullmatch(checked, timeout=_MATCH_SECONDS) is None:
            legal = _legal_length(checked)
            raise IllegalResponse(f"{checked[:legal]!r} is legal, but not then {checked[legal:]!r}")
        _check_charset(checked, self.is_utf8)
        if checked.startswith(b"* ENABLED"):
            self.is_utf8 |= bool({b"UTF8=ACCEPT", b"IMAP4REV2"} & set(checked.upper().split()))


def _without_literal_contents(response: bytes) -> bytes:
    """The response with the octets of its literals taken out, and they checked: no NUL outside of literal8."""
    kept, position = [], 0
    while position < len(response):
        end = response.find(b"\n", position) + 1
        if not end:
            raise IllegalResponse(f"no line's end: {response[position:]!r}")
        line = response[position:end]
        kept.append(line)
        position = end
        if literal := _LITERAL.search(line):
            content = response[position : position + int(literal[2])]
            if len(content) < int(literal[2]):
                raise IllegalResponse(f"a literal of {len(content)} octets after {line!r}")
            if not literal[1] and b"\0" in content:
                raise IllegalResponse(f"a NUL in the literal after {line!r}")
            position += len(content)
    return b"".join(kept)


def _check_charset(response: bytes, is_utf8: bool) -> None:
    """8-bit octets outside of literals are UTF-8, and only where the client enabled it (RFC 6855 §3, RFC 9051 §4.3)."""
    try:
        response.decode("utf-8" if is_utf8 else "ascii")
    except UnicodeDecodeError as error:
        raise IllegalResponse(f"{error} in {response!r}") from None


def _legal_length(response: bytes) -> int:
    """The length of the longest beginning that something legal begins with."""
    low, high = 0, len(response)
    while low < high:
        middle = (low + high + 1) // 2
        if _expression().fullmatch(response[:middle], partial=True):
            low = middle
        else:
            high = middle - 1
    return low
