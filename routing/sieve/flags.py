"""Flags in scripts: words of IMAP, each once whatever its case (RFC 5232 §2, §3)."""

import re
from collections.abc import Iterable

SYSTEM_FLAGS = {
    name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
}
FLAGS_MAXIMUM = 100
_KEYWORD = re.compile(r'[^\x00-\x20\x7f-\U0010ffff(){%*"\\\]]{1,100}')


def flag_words(texts: Iterable[str]) -> tuple[str, ...]:
    """The valid flags in strings of words, each once; what is no flag that can be set is left out."""
    found: dict[str, str] = {}
    for text in texts:
        for word in text.split(" "):
            word = word.strip("\r\n\t")
            folded = word.lower()
            if folded in SYSTEM_FLAGS:
                found.setdefault(folded, SYSTEM_FLAGS[folded])
            elif _KEYWORD.fullmatch(word):
                found.setdefault(folded, word)
            if len(found) >= FLAGS_MAXIMUM:
                return tuple(found.values())
    return tuple(found.values())
