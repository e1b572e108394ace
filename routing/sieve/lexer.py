"""A script's text to tokens. RFC 5228 §2.1-§2.4, §8.1. Linear in the size, whatever the text."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from routing.sieve.errors import InvalidScript, ScriptError
from routing.sieve.limits import (
    IDENTIFIER_MAXIMUM,
    NUMBER_MAXIMUM,
    SCRIPT_SIZE_MAXIMUM,
    TOKENS_MAXIMUM,
)


class Kind:
    """No Enum: looking its members up would take half of the time that a token costs."""

    IDENTIFIER: Final = "a name"
    TAG: Final = "a tag"
    NUMBER: Final = "a number"
    STRING: Final = "a string"
    MARK: Final = "a mark"
    END: Final = "the end of the script"
    BAD: Final = "an error"


class Token(NamedTuple):
    """`value` is the name in lower case, without colon; the number; the string's content; the mark; or an error.

    `at` is the offset of its first character.
    """

    kind: str
    at: int
    value: str | int


_TOKEN = re.compile(
    r"""(?:[ \t\r\n]++ | \#[^\n]*+ | /\*(?:[^*]++|\*(?!/))*+\*/ )*+
    (?: (?P<mark>[\[\](){},;])
      | "(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*+)"
      | (?P<text>(?i:text):)[ \t]*+(?:\#[^\n]*+|\r)?+\n(?:
            (?P<lines>(?:(?!\.\r?(?:\n|\Z))[^\n]*+\n)*+)\.\r?(?:\n|\Z) | (?P<open>))
      | :(?P<tag>[A-Za-z_][A-Za-z0-9_]*+)
      | (?P<identifier>[A-Za-z_][A-Za-z0-9_]*+)
      | (?P<number>[0-9]++[KMGkmg]?+)(?![A-Za-z0-9_])
      | (?P<end>\Z)
      | (?P<bad>[0-9]++[A-Za-z0-9_]*+|.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_UNCLOSED = {'"': "this string has no end", "/": "this comment has no end"}


class Source:
    """A script's text, and where an offset lies in it."""

    def __init__(self, script: bytes) -> None:
        """Raises InvalidScript for what is no text: too large, not UTF-8 (§2.1), or with a NUL."""
        if len(script) > SCRIPT_SIZE_MAXIMUM:
            raise InvalidScript(
                (ScriptError(1, 1, f"the script has more than {SCRIPT_SIZE_MAXIMUM} octets"),)
            )
        self._lines: list[int] | None = None
        try:
            self.text = script.decode("utf-8")
        except UnicodeDecodeError as error:
            self.text = script[: error.start].decode("utf-8")
            raise InvalidScript((self.error(len(self.text), "this is not UTF-8"),)) from None
        nul = self.text.find("\0")
        if nul >= 0:
            raise InvalidScript((self.error(nul, "a script holds no NUL"),))

    def line(self, at: int) -> int:
        """The number of the line of an offset, from 1."""
        if self._lines is None:
            self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        return bisect_right(self._lines, at)

    def error(self, at: int, message: str) -> ScriptError:
        line = self.line(at)
        assert self._lines is not None
        return ScriptError(line, at - self._lines[line - 1] + 1, message)


# Token(...) is a call in Python; this is none, and there are thousands.
_token = partial(tuple.__new__, Token)


def tokens(text: str) -> Iterator[Token]:
    """The tokens, the last of them END or BAD; at most TOKENS_MAXIMUM."""
    for match in islice(_TOKEN.finditer(text), TOKENS_MAXIMUM):
        kind = match.lastgroup
        assert kind is not None  # \Z or `.` matches everywhere
        at, value = match.start(kind), match[kind]
        if kind == "mark":
            yield _token((Kind.MARK, at, value))
        elif kind == "quoted":
            yield _token((Kind.STRING, at - 1, _unquoted(value)))
        elif kind == "identifier":
            yield _name(Kind.IDENTIFIER, at, value)
        elif kind == "tag":
            yield _name(Kind.TAG, at - 1, value)
        elif kind == "number":
            yield _number(at, value)
        elif kind == "lines":
            yield _token((Kind.STRING, match.start("text"), _crlf(_unstuffed(value))))
        elif kind == "open":
            yield Token(Kind.BAD, match.start("text"), "this text has no end")
            return
        elif kind == "end":
            yield Token(Kind.END, at, "")
            return
        else:
            if value == '"' or text.startswith("/*", at):
                yield Token(Kind.BAD, at, _UNCLOSED[value])
                return
            yield Token(Kind.BAD, at, f"{value[:20]!r} has no place here")
    yield Token(Kind.BAD, len(text), f"the script has more than {TOKENS_MAXIMUM} words and marks")


def _name(kind: str, at: int, name: str) -> Token:
    if len(name) > IDENTIFIER_MAXIMUM:
        return Token(Kind.BAD, at, "this name is too long")
    return _token((kind, at, name.lower()))


def _number(at: int, text: str) -> Token:
    unit = text[-1:].lower() if text[-1:].isalpha() else ""
    digits = text[: len(text) - len(unit)].lstrip("0")
    # longer ones are not even converted: that would take time by the square of their length
    value = int(digits or "0") * _UNITS[unit] if len(digits) < 20 else NUMBER_MAXIMUM + 1
    if value > NUMBER_MAXIMUM:
        return Token(Kind.BAD, at, "this number is too large")
    return Token(Kind.NUMBER, at, value)


def _unquoted(quoted: str) -> str:
    if "\\" in quoted:
        # pairs are found from the left; a backslash that is left in between quotes what follows
        quoted = "\\".join(part.replace("\\", "") for part in quoted.split("\\\\"))
    return _crlf(quoted)


def _unstuffed(lines: str) -> str:
    """Without the dot before another that begins a line (§2.4.2)."""
    return (lines[1:] if lines.startswith("..") else lines).replace("\n..", "\n.")


def _crlf(text: str) -> str:
    """Each line ending in CRLF, as the text of a message has it."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if "\n" in text else text
