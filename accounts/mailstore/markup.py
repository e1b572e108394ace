"""The readable text of HTML, roughly and in linear time: for searching, not for showing.

A tag becomes a space, even within a word.
"""

import re
from html import unescape

# A tag holds no "<", so that an unclosed one costs no more than its length.
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*+>")
# What is not shown, from its beginning to its end.
_HIDDEN = (("<!--", "-->"), ("<style", "</style"), ("<script", "</script"))


def text_of_html(html: str) -> str:
    """Tags, comments, styles and scripts taken out, character references resolved."""
    for beginning, end in _HIDDEN:
        html = _without(html, beginning, end)
    text = _TAG.sub(" ", html)
    return unescape(text) if "&" in text else text


def _without(html: str, beginning: str, end: str) -> str:
    """Without what stands between the two; one that never ends stays."""
    lower = html.lower()
    start = lower.find(beginning)
    if start < 0:
        return html
    if len(lower) != len(html):
        html = lower  # a few characters have longer lower forms, and the offsets must agree
    pieces: list[str] = []
    position = 0
    while start >= 0:
        stop = lower.find(end, start)
        if stop < 0:
            break
        pieces.append(html[position:start])
        position = stop if end.startswith("<") else stop + len(end)  # a closing tag goes as a tag
        start = lower.find(beginning, position)
    pieces.append(html[position:])
    return " ".join(pieces)
