"""What the server says, as bytes (RFC 9051 §7), pure."""

import re
from collections.abc import Iterable, Sequence

from accounts.mailstore.flagbits import flag_names

SPANS_A_LINE = 1000
SYSTEM_FLAGS = (b"\\Answered", b"\\Flagged", b"\\Deleted", b"\\Seen", b"\\Draft")

_ATOM = re.compile(rb'[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+')
_QUOTABLE = re.compile(rb'[^"\\\x00-\x1f\x7f-\xff]{0,1000}')
_UNSAFE_TEXT = re.compile(r"[\x00-\x1f\x7f]+")


def string(value: bytes) -> bytes:
    """quoted where it can be, else a literal."""
    if _QUOTABLE.fullmatch(value):
        return b'"' + value + b'"'
    if b"\r" not in value and b"\n" not in value and value.isascii() and b"\x00" not in value:
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


def astring(value: bytes) -> bytes:
    """An atom where it can be: imapclient leaves the quotes on an identifier."""
    return value if _ATOM.fullmatch(value) and value.upper() != b"NIL" else string(value)


def quoted(value: bytes) -> bytes:
    """A quoted string of what fits one: a tag does."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def utf8_string(value: bytes) -> bytes:
    """UTF-8 quoted where it can be (RFC 6855 §3), else a literal."""
    if b"\r" in value or b"\n" in value or b"\x00" in value:
        return b"{%d}\r\n%b" % (len(value), value)
    return quoted(value)


def text(words: str) -> bytes:
    """Free text of a response: one line."""
    return _UNSAFE_TEXT.sub(" ", words).encode("utf-8", "replace") or b"-"


def status_line(tag: bytes, condition: str, words: str, code: bytes = b"") -> bytes:
    """`tag OK [code] words`"""
    start = tag + b" " + condition.encode("ascii") + b" "
    return start + (b"[" + code + b"] " if code else b"") + text(words) + b"\r\n"


class FlagTexts(dict[int, bytes]):
    """Flags as bits → their parenthesised list, each rendered once."""

    def __init__(self, keywords: tuple[str, ...]) -> None:
        super().__init__()
        self.keywords = keywords

    def __missing__(self, flags: int) -> bytes:
        names = " ".join(flag_names(flags, self.keywords))
        rendered = self[flags] = b"(" + names.encode("ascii", "replace") + b")"
        return rendered


def folder_flags(keywords: Iterable[str], rights: str) -> bytes:
    """`* FLAGS` and `* OK [PERMANENTFLAGS]`: what the rights allow to change (RFC 4314 §5.1.1)."""
    names = [*SYSTEM_FLAGS, *(k.encode("ascii", "replace") for k in keywords)]
    needed = {b"\\Seen": "s", b"\\Deleted": "t"}
    permanent = [name for name in (*names, b"\\*") if needed.get(name, "w") in rights]
    return (
        b"* FLAGS (" + b" ".join(names) + b")\r\n"
        b"* OK [PERMANENTFLAGS (" + b" ".join(permanent) + b")] Flags that are kept\r\n"
    )


def vanished_earlier(spans: Sequence[tuple[int, int]]) -> bytes:
    """`* VANISHED (EARLIER) uids` (RFC 7162 §3.2.10.1), in lines of a length that clients bear; nothing for none."""
    lines = []
    for start in range(0, len(spans), SPANS_A_LINE):
        uids = b",".join(
            b"%d" % low if low == high else b"%d:%d" % (low, high)
            for low, high in spans[start : start + SPANS_A_LINE]
        )
        lines.append(b"* VANISHED (EARLIER) " + uids + b"\r\n")
    return b"".join(lines)


def esearch(
    tag: bytes,
    *,
    by_uid: bool,
    items: Iterable[tuple[bytes, bytes]],
) -> bytes:
    """`* ESEARCH (TAG "…") UID name value …` (RFC 4731)."""
    words = [b"* ESEARCH (TAG " + string(tag) + b")"]
    if by_uid:
        words.append(b"UID")
    for name, value in items:
        words.append(name + b" " + value)
    return b" ".join(words) + b"\r\n"
