"""Folder names on the wire, and which of them a pattern matches (RFC 9051 §5.1, §6.3.9), pure."""

import re
from collections.abc import Callable

from transport.imap.wire.responses import string, utf8_string
from transport.imap.wire.utf7 import encode_folder_name

SEPARATOR = "/"

_ATOM = re.compile(rb'[^(){ %*"\\\]\x00-\x1f\x7f-\xff]+')


def render_folder_name(name: str, *, utf8: bool = False) -> bytes:
    """An astring: modified UTF-7, or UTF-8 where the session's mode has it (`Session.utf8`)."""
    encoded = name.encode("utf-8", "replace") if utf8 else encode_folder_name(name)
    if _ATOM.fullmatch(encoded) and encoded.upper() != b"NIL":
        return encoded
    return utf8_string(encoded) if utf8 else string(encoded)


def matcher(reference: str, pattern: str) -> Callable[[str], bool]:
    """Whether a name matches: `*` is anything, `%` anything without the separator. Linear in the name's length."""
    full = re.sub(r"[*%]*\*[*%]*", "*", reference + pattern)
    full = re.sub(r"%+", "%", full)
    pieces = re.split(r"([*%])", full)

    def matches(name: str) -> bool:
        return _matches(pieces, _fold_inbox(name))

    return matches


def _matches(pieces: list[str], name: str) -> bool:
    """The set of places where each piece may end, piece by piece: no pattern makes it backtrack."""
    places = {0}
    for piece in pieces:
        if piece == "*":
            places = set(range(min(places), len(name) + 1))
        elif piece == "%":
            places = _within_level(places, name)
        elif piece:
            places = {p + len(piece) for p in places if name.startswith(piece, p)}
        if not places:
            return False
    return len(name) in places


def _within_level(places: set[int], name: str) -> set[int]:
    reached: set[int] = set()
    for place in places:
        end = name.find(SEPARATOR, place)
        reached.update(range(place, (len(name) if end < 0 else end) + 1))
    return reached


def _fold_inbox(name: str) -> str:
    return "INBOX" + name[5:] if name[:6].casefold() in ("inbox", "inbox/") else name
