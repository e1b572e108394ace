"""The views in which a message is judged: each token belongs to one, by what stands before its colon."""

BITS = 3  # of a token's key, its lowest, say the view
VIEW = (1 << BITS) - 1

HEADER, SUBJECT, WORDS, PAIRS, LINKS, LAYOUT, BELOW = range(7)

# Everything else before a colon is of the header.
_VIEWS = {
    "subject": SUBJECT,
    "url": LINKS,
    "path": LINKS,
    "type": LAYOUT,
    "encoding": LAYOUT,
    "charset": LAYOUT,
    "file": LAYOUT,
    "tag": LAYOUT,
    "html": LAYOUT,
    "layout": LAYOUT,
    "foot": BELOW,
    "hidden": BELOW,
}


def view_of(token: str) -> int:
    """Words of the text have no colon, two of them a space between."""
    if ":" in token:
        return _VIEWS.get(token[: token.index(":")], HEADER)
    return PAIRS if " " in token else WORDS
