"""Reads IMAP's basic types from one command's bytes (RFC 9051 §4, §9), pure.

Literals stand in place, as `transport.imap.wire.reader` gives them. Each method takes what it names at the position
and moves past it, or raises `ImapSyntaxError` with a text for the client.
"""

import re
from collections.abc import Callable, Sized
from typing import TypeVar

from transport.imap.wire.modes import Modes
from transport.imap.wire.sequence import SequenceSet, parse_sequence_set
from transport.imap.wire.utf7 import FolderNameError, decode_folder_name

NUMBER64_MAXIMUM = 2**63 - 1
LIST_MAXIMUM = 4096
"""Items in one parenthesised list."""

_CTL_OR_8BIT = rb"\x00-\x1f\x7f-\xff"
# ATOM-CHAR = any CHAR except "(" ")" "{" SP CTL "%" "*" DQUOTE "\" "]"
_ATOM = re.compile(rb'[^(){ %%*"\\\]%b]+' % _CTL_OR_8BIT)
# ASTRING-CHAR = ATOM-CHAR / "]"
_ASTRING = re.compile(rb'[^(){ %%*"\\%b]+' % _CTL_OR_8BIT)
# list-char = ATOM-CHAR / "%" / "*" / "]"; 8-bit for clients that send UTF-8 there
_LIST_MAILBOX = re.compile(rb'[^(){ "\\\x00-\x1f\x7f]+')
# tag = 1*<any ASTRING-CHAR except "+">
_TAG = re.compile(rb'[^(){ %%*"\\+%b]{1,128}(?= |$)' % _CTL_OR_8BIT)
# quoted = DQUOTE *(any TEXT-CHAR except "\" and DQUOTE, or those after "\") DQUOTE; 8-bit is UTF-8 (RFC 9051)
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_ESCAPE = re.compile(rb'\\(["\\])')
_LITERAL = re.compile(rb"~?\{([0-9]{1,20})\+?\}\r?\n")
_NUMBER = re.compile(rb"[0-9]{1,20}")
_FLAG = re.compile(rb'\\?[^(){ %%*"\\\]%b]+' % _CTL_OR_8BIT)
# "(" [atom *(SP atom)] ")"; more spaces are forgiven
_WORDS = re.compile(
    rb'\(((?:[^(){ %%*"\\\]%b]+ +)*+[^(){ %%*"\\\]%b]+|)\)' % (_CTL_OR_8BIT, _CTL_OR_8BIT)
)
_END = re.compile(rb" *\Z")
_INBOX = re.compile(r"inbox(?=/|$)", re.IGNORECASE)

T = TypeVar("T")


class ImapSyntaxError(Exception):
    """The client broke the syntax: BAD, with this text and code."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.code = code


class Cursor:
    """A position in one command, read as the session's modes have it."""

    __slots__ = ("buffer", "modes", "position")

    def __init__(self, buffer: bytes, position: int = 0, *, modes: Modes | None = None) -> None:
        self.buffer = buffer
        self.position = position
        self.modes = modes or Modes()

    # What stands here

    @property
    def at_end(self) -> bool:
        """Whether nothing follows but spaces, which are forgiven."""
        return _END.match(self.buffer, self.position) is not None

    @property
    def _is_at_string(self) -> bool:
        return self.buffer.startswith((b'"', b"{", b"~{"), self.position)

    def peek(self) -> bytes:
        """The next byte, or b"" at the end."""
        return self.buffer[self.position : self.position + 1]

    def accept(self, text: bytes) -> bool:
        """Move past `text` (compared without case) if it stands here."""
        end = self.position + len(text)
        if self.buffer[self.position : end].upper() != text.upper():
            return False
        self.position = end
        return True

    def expect(self, text: bytes) -> None:
        if not self.accept(text):
            raise ImapSyntaxError(f"{text.decode('ascii')!r} expected")

    def space(self) -> None:
        """One SP; more are forgiven."""
        if self.peek() != b" ":
            raise ImapSyntaxError("missing argument" if self.at_end else "space expected")
        while self.peek() == b" ":
            self.position += 1

    def end(self) -> None:
        if not self.at_end:
            raise ImapSyntaxError("too many arguments")

    # Basic types

    def tag(self) -> bytes:
        return self._take(_TAG, "tag")

    def atom(self) -> bytes:
        return self._take(_ATOM, "atom")

    def keyword(self) -> str:
        """An atom in upper case, for names that the protocol defines."""
        return self.atom().upper().decode("ascii")

    def number(self, maximum: int = NUMBER64_MAXIMUM) -> int:
        value = int(self._take(_NUMBER, "number"))
        if value > maximum:
            raise ImapSyntaxError("number too large")
        return value

    def string(self) -> bytes:
        """quoted / literal"""
        match self.peek():
            case b'"':
                quoted = _QUOTED.match(self.buffer, self.position)
                if quoted is None:
                    raise ImapSyntaxError("unterminated or bad quoted string")
                self.position = quoted.end()
                if self.modes.utf8 and not quoted[1].isascii():
                    _check_utf8(quoted[1])
                return _ESCAPE.sub(rb"\1", quoted[1]) if b"\\" in quoted[1] else quoted[1]
            case b"{" | b"~":
                return self.literal()
        raise ImapSyntaxError("string expected")

    def literal(self) -> bytes:
        announced = _LITERAL.match(self.buffer, self.position)
        if announced is None:
            raise ImapSyntaxError("literal expected")
        end = announced.end() + int(announced[1])
        if end > len(self.buffer):
            raise ImapSyntaxError("literal too short")
        self.position = end
        return self.buffer[announced.end() : end]

    def astring(self) -> bytes:
        if self._is_at_string:
            return self.string()
        return self._take(_ASTRING, "string")

    def nstring(self) -> bytes | None:
        return None if self.accept(b"NIL") else self.string()

    def words(self) -> tuple[str, ...]:
        """A parenthesised list of names that the protocol defines; may be empty."""
        found = _WORDS.match(self.buffer, self.position)
        if found is None:
            return tuple(self.parenthesised(self.keyword))  # says what is wrong
        names = found[1].upper().decode("ascii").split()
        self._bound(names)
        self.position = found.end()
        return tuple(names)

    def parenthesised(self, item: Callable[[], T]) -> list[T]:
        """A parenthesised list, each read by `item`; may be empty."""
        items: list[T] = []
        self.expect(b"(")
        while not self.accept(b")"):
            if items:
                self.space()
            items.append(item())
            self._bound(items)
        return items

    # What IMAP names

    def sequence_set(self) -> SequenceSet:
        parsed = parse_sequence_set(self.buffer, self.position)
        if parsed is None:
            raise ImapSyntaxError("bad message set")
        self.position = parsed[1]
        return parsed[0]

    def flags(self, *, parenthesised: bool) -> tuple[bytes, ...]:
        """flag-list, or the bare flags of a STORE up to the end of the command."""
        found: list[bytes] = []
        if parenthesised:
            self.expect(b"(")
        while not (self.accept(b")") if parenthesised else self.at_end):
            if found:
                self.space()
            found.append(self._take(_FLAG, "flag"))
            self._bound(found)
        return tuple(found)

    def folder(self) -> str:
        """A folder's name, with INBOX in upper case."""
        return _with_inbox(self.folder_as_sent())

    def folder_as_sent(self) -> str:
        """A folder's name; a separator at its end is dropped, as Thunderbird sends it."""
        return _decode_name(self.astring(), utf8=self.modes.utf8).rstrip("/") or "/"

    def list_pattern(self) -> str:
        sent = self.string() if self._is_at_string else self._take(_LIST_MAILBOX, "pattern")
        return _with_inbox(_decode_name(sent, utf8=self.modes.utf8))

    def _take(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        match = pattern.match(self.buffer, self.position)
        if match is None:
            raise ImapSyntaxError(f"{what} expected")
        self.position = match.end()
        return match.group()

    def _bound(self, items: Sized) -> None:
        if len(items) > LIST_MAXIMUM:
            raise ImapSyntaxError("too many items")


def _decode_name(name: bytes, *, utf8: bool) -> str:
    """Modified UTF-7 or UTF-8 → text."""
    if utf8:
        decoded = _check_utf8(name)
    else:
        try:
            decoded = decode_folder_name(name)
        except FolderNameError:
            raise ImapSyntaxError("folder name is no modified UTF-7") from None
    if "\0" in decoded:
        raise ImapSyntaxError("folder name holds NUL")
    return decoded


def _with_inbox(name: str) -> str:
    return _INBOX.sub("INBOX", name, count=1) if name[:5].lower() == "inbox" else name


def _check_utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ImapSyntaxError("not UTF-8") from None
