"""Text as the value of a header field: folded (RFC 5322 §2.2.3), with encoded words where it needs them (RFC 2047)."""

import re
from base64 import b64encode
from collections.abc import Iterator

LINE_MAXIMUM = 76  # characters, where words allow it
WORD_MAXIMUM = 900  # a longer one is encoded: a line has 998 at most
_ENCODED_MAXIMUM = 45  # octets of one encoded word

_BREAKS = re.compile(r"(?:\r?\n[ \t]*+|\r)++")
_PLAIN = re.compile(r"[\t!-~]*")


def has_controls(text: str) -> bool:
    """Whether it holds what no field may: control characters other than tabs and line breaks."""
    return any(c < " " and c not in "\t\r\n" for c in text) or "\x7f" in text


def encoded_value(name: str, text: str) -> bytes:
    """The raw value of a field of this name, with the space before it. Line breaks of the text become spaces."""
    lines = [""]
    used = len(name) + 1
    for word in _words(_BREAKS.sub(" ", text).strip()):
        if len(lines[-1]) + used + 1 + len(word) > LINE_MAXIMUM and lines[-1].strip() and word:
            lines.append("")
            used = 0
        lines[-1] += f" {word}"
    return "\r\n".join(lines).encode("ascii")


def _words(text: str) -> Iterator[str]:
    """What stands between single spaces; what is not ASCII is encoded, with the spaces within."""
    run: list[str] = []
    for word in text.split(" "):
        if not _PLAIN.fullmatch(word) or len(word) > WORD_MAXIMUM or (run and not word):
            run.append(word)
            continue
        yield from _encoded(" ".join(run))
        run.clear()
        yield word
    yield from _encoded(" ".join(run))


def _encoded(text: str) -> Iterator[str]:
    piece = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _ENCODED_MAXIMUM:
            yield _encoded_word(piece)
            piece = b""
        piece += octets
    if piece:
        yield _encoded_word(piece)


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?B?{b64encode(octets).decode()}?="
