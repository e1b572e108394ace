"""Address lists of header fields, read tolerantly and in linear time.

RFC 5322 §3.4 and §4.4 (groups, routes, comments), RFC 6532 (8-bit names and addresses), RFC 7103 §7.1 (excessive
and unbalanced brackets, quotes and parentheses; commas in angle brackets; naked local parts).
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from accounts.mailstore.header_fields import unfold

# More addresses than this in one list are left out, and more octets of it are not read.
ADDRESSES_LIMIT = 1000
ADDRESS_LIST_LIMIT = 128 * 1024

# The common cases at once: `user@host`, `Name <user@host>`, `"Name" <user@host>`, up to the comma or the end.
_COMMON = re.compile(
    rb"""[ ]*+ (?:
        (?: "([^"\\]*+)" [ ]*+ | ([^"(),:;<>@\\]*+) ) < ([^\s"(),:;<>@\\]++)@([^\s"(),:;<>@\\]++) >
      | ([^\s"(),:;<>@\\]++)@([^\s"(),:;<>@\\]++)
    ) [ ]*+ (?:,|\Z)""",
    re.VERBOSE,
)
_BALANCED_QUOTES = re.compile(rb'[^"]*+(?:"(?:[^"\\]|\\.)*+"[^"]*+)*+\Z', re.DOTALL)
_TOKEN = re.compile(
    rb"""(?P<space>[ ]++)
       | (?P<quoted>"(?:[^"\\]|\\.)*+")
       | <++ (?P<angle>(?:"(?:[^"\\]|\\.)*+"|(?:(?<=<)@[^<>:"]{1,500}+:)|\([^()<>]*+\)|[^<>",;()])*+) >*+
       | (?P<mark>[,;:(@])
       | (?P<stray>>)
       | (?P<atom>[^\s"(,;:<>@]++)
       | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(rb"[()]|\\.")
_COMMENT = re.compile(rb"\([^()]*+\)")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class HeaderAddress:
    """One address. Bytes are decoded as UTF-8 with surrogateescape, so that nothing is lost.

    `display` is unquoted, its encoded words kept (see `decode_words`); `local_part` is unquoted; `domain` is ""
    where it is missing.
    """

    display: str
    local_part: str
    domain: str


class RawAddress(NamedTuple):
    """What ENVELOPE sends: an address; the start of a group (its name as `local_part`, no domain); or its end."""

    display: bytes
    local_part: bytes | None
    domain: bytes | None
    route: bytes = b""  # as `@relay.example`, of the obsolete syntax (RFC 5322 §4.4)


GROUP_END = RawAddress(b"", None, None)


def parse_addresses(value: bytes) -> tuple[HeaderAddress, ...]:
    """The addresses of a From, To, ... value, groups flattened, at most ADDRESSES_LIMIT; () if none."""
    return tuple(
        HeaderAddress(
            raw.display.decode("utf-8", "surrogateescape"),
            raw.local_part.decode("utf-8", "surrogateescape"),
            raw.domain.decode("utf-8", "surrogateescape"),
        )
        for raw in parse_address_list(unfold(value))
        if raw.local_part is not None and raw.domain is not None
    )


def parse_address_list(value: bytes, most: int = ADDRESSES_LIMIT) -> list[RawAddress]:
    """The addresses and group marks of an unfolded value, in their order; at most `most` of both, and a group's end."""
    value = value[:ADDRESS_LIST_LIMIT]
    addresses: list[RawAddress] = []
    position, end = 0, len(value)
    while position < end and len(addresses) < most:
        match = _COMMON.match(value, position)
        if match is None:
            addresses.extend(_Reader(value[position:], most - len(addresses)).read())
            break
        quoted, phrase, local_part, domain, bare_local_part, bare_domain = match.groups()
        if bare_local_part is not None:
            addresses.append(RawAddress(b"", bare_local_part, bare_domain))
        else:
            display = quoted.strip() if quoted is not None else b" ".join(phrase.split())
            addresses.append(RawAddress(display, local_part, domain))
        position = match.end()
    return addresses


class _Reader:
    """Reads what the common cases do not cover, token by token."""

    def __init__(self, value: bytes, most: int) -> None:
        if _BALANCED_QUOTES.match(value) is None:
            value = value.replace(b'"', b"")
        self._value = value
        self._most = most
        self._addresses: list[RawAddress] = []
        self._in_group = False
        self._comments_close = True
        # Of the address being read:
        self._words: list[tuple[str, bytes]] = []
        self._angle: bytes | None = None
        self._comment = b""
        self._has_at = False

    def read(self) -> list[RawAddress]:
        position, end = 0, len(self._value)
        while position < end and len(self._addresses) < self._most:
            token = _TOKEN.match(self._value, position)
            assert token is not None  # the last alternative takes anything
            position = token.end()
            match token.lastgroup:
                case "angle":
                    if self._angle is not None:
                        self._finish()
                    self._angle = token["angle"]
                case "stray":
                    pass  # second@example.org> (RFC 7103 §7.1.3)
                case "mark":
                    position = self._take_mark(token["mark"], position)
                case "other" if token[0] == b'"':
                    # Never closed. Without the rest of the quotes, none of them is looked for again.
                    self._value = self._value[:position] + self._value[position:].replace(b'"', b"")
                    end = len(self._value)
                case kind:
                    self._words.append((kind or "other", token[0]))
        self._finish()
        if self._in_group:
            self._addresses.append(GROUP_END)
        return self._addresses

    def _take_mark(self, mark: bytes, position: int) -> int:
        """Act on `,` `;` `:` `@` `(`; return where to read on."""
        if mark == b"(":
            return self._take_comment(position)
        if mark == b"@":
            self._words.append(("@", mark))
            self._has_at = True
        elif mark == b",":
            self._finish()
        elif mark == b";":
            self._finish()
            if self._in_group:
                self._addresses.append(GROUP_END)
                self._in_group = False
        elif self._in_group or self._angle is not None or self._has_at:
            self._words.append(("other", mark))
        else:
            name = _phrase(self._words)
            self._clear()
            self._in_group = True
            self._addresses.append(RawAddress(b"", name, None))
        return position

    def _take_comment(self, start: int) -> int:
        """Read a comment, which may nest; a parenthesis that never closes is passed over."""
        depth = 1
        if self._comments_close:
            for mark in _COMMENT_MARK.finditer(self._value, start):
                depth += {b"(": 1, b")": -1}.get(mark[0], 0)
                if depth == 0:
                    comment = self._value[start : mark.start()]
                    self._comment = self._comment or _ESCAPED.sub(rb"\1", comment).strip()
                    self._words.append(("space", b" "))
                    return mark.end()
            self._comments_close = False
        return start

    def _finish(self) -> None:
        """End one address at a separator."""
        if self._angle is not None:
            display = _phrase(self._words) or self._comment
            route, local_part, domain = _split_address(self._angle)
            if display or local_part or domain:
                self._addresses.append(RawAddress(display, local_part, domain, route))
        elif self._words:
            self._finish_bare()
        self._clear()

    def _finish_bare(self) -> None:
        """An address without angle brackets: the words about the last `@`; what stands before is its name."""
        words = self._words
        at = len(words) - 1
        while at >= 0 and words[at][0] != "@":
            at -= 1
        if at < 0:
            self._finish_naked(words)
            return
        first = _reach(words, at, -1)
        last = _reach(words, at, 1)
        local_part = _unquote(b"".join(text for kind, text in words[first:at] if kind != "space"))
        domain = b"".join(text for kind, text in words[at + 1 : last + 1] if kind != "space")
        display = _phrase(words[:first]) or self._comment
        if display or local_part or domain:
            self._addresses.append(RawAddress(display, local_part, domain))

    def _finish_naked(self, words: list[tuple[str, bytes]]) -> None:
        name = _phrase(words)
        if name and b" " not in name:
            self._addresses.append(RawAddress(self._comment, name, b""))
        elif name:
            self._addresses.append(RawAddress(name, b"", b""))

    def _clear(self) -> None:
        self._words = []
        self._angle = None
        self._comment = b""
        self._has_at = False


def _reach(words: list[tuple[str, bytes]], at: int, step: int) -> int:
    """The last index, going from the `@` by `step`, that still belongs to the address.

    White space ends it, except beside the `@` and beside a dot (obs-local-part, obs-domain).
    """
    index, reached = at + step, at
    glued = True
    while 0 <= index < len(words):
        kind, text = words[index]
        if kind == "space":
            beyond = words[index + step][1] if 0 <= index + step < len(words) else b""
            glued = glued or (beyond.endswith(b".") if step < 0 else beyond.startswith(b"."))
            if not glued:
                break
        else:
            reached = index
            glued = text.startswith(b".") if step < 0 else text.endswith(b".")
        index += step
    return reached


def _phrase(words: list[tuple[str, bytes]]) -> bytes:
    """Words as a display name: quoted strings unquoted, white space as it was."""
    return b"".join(_unquote(text) if kind == "quoted" else text for kind, text in words).strip()


def _split_address(text: bytes) -> tuple[bytes, bytes, bytes]:
    """The content of angle brackets as route, local part and domain."""
    if b"(" in text:
        text = _COMMENT.sub(b"", text)
    text = text.strip()
    route = b""
    if text.startswith(b"@") and b":" in text:
        route, _, text = text.partition(b":")
    local_part, at, domain = text.rpartition(b"@")
    if not at:
        local_part, domain = domain, b""
    return route, _unquote(local_part.strip()), domain.strip()


def _unquote(text: bytes) -> bytes:
    if len(text) >= 2 and text.startswith(b'"') and text.endswith(b'"'):
        text = text[1:-1]
        return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text
    return text
