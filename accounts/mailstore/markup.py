"""The readable text of HTML, roughly and in linear time: for searching, not for showing."""

import re
from html import unescape

_HIDDEN = re.compile(r"<(?:(script|style|head)\b|!--)", re.IGNORECASE)
# A tag holds no "<", so that an unclosed one costs no more than its length. Inline tags may stand within a word.
_INLINE_TAG = re.compile(
    r"</?(?:a|b|i|u|em|span|font|strong|wbr|small|big|sub|sup|tt|code)\b[^<>]*+>", re.I
)
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*+>")


def text_of_html(html: str) -> str:
    """Tags, comments, styles and scripts taken out, character references resolved."""
    text = _TAG.sub(" ", _INLINE_TAG.sub("", _without_hidden(html)))
    return unescape(text) if "&" in text else text


def _without_hidden(html: str) -> str:
    """Without comments and the elements whose content is not shown; an unclosed one hides only its own tag."""
    pieces: list[str] = []
    lower = html.lower()
    if len(lower) != len(html):
        html = lower  # a few characters have longer lower forms: offsets must agree
    position, unclosed = 0, set[str]()
    for start in _HIDDEN.finditer(html):
        if start.start() < position:
            continue
        closing = f"</{start[1].lower()}" if start[1] else "-->"
        if closing in unclosed:
            continue
        end = lower.find(closing, start.end())
        if end < 0:
            unclosed.add(closing)
            continue
        pieces.append(html[position : start.start()])
        position = end if start[1] else end + len(closing)
    pieces.append(html[position:])
    return " ".join(pieces)
