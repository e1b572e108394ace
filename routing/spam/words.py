"""The words of a text as the classifier counts them: in lower case, numbers as their length, and each with the word before it."""

import re
from collections.abc import Iterator
from itertools import chain, pairwise

WORD_LIMIT = 24  # characters
WORDS_LIMIT = 4000
"""Of one text; beyond them nothing is new but pages of it."""

_SIGNS = "".join(sign for sign in map(chr, range(128)) if not sign.isalnum() and sign not in "'$!")
_BETWEEN = str.maketrans(_SIGNS, " " * len(_SIGNS), "'")
_BETWEEN_ANY = re.compile(r"[^\w$!]|_")
# They write no spaces: each character counts as a word.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_NUMBER = re.compile(r"\d+")


def words(prefix: str, text: str) -> list[str]:
    """Each word after the prefix."""
    return [prefix + plain(word) for word in _written(text)]


def words_and_pairs(prefix: str, text: str) -> tuple[Iterator[str], int]:
    """Words, what is written in capitals once more with a ^, neighbours as "one two"; and how many percent are in capitals.

    Pairs are made as they are asked for: of a long text most never are.
    """
    written = _written(text)
    if not written:
        return iter(()), 0
    capitals = [word for word in written if word.isupper() and len(word) > 2]
    plainly = [word.lower() if word[0] > "9" else plain(word) for word in written]
    pairs = map(" ".join, pairwise(plainly))
    found = chain(plainly, [f"^{word.lower()}" for word in capitals], pairs)
    return (map(prefix.__add__, found) if prefix else found), 100 * len(capitals) // len(written)


def _written(text: str) -> list[str]:
    """What stands between spaces and signs, but for single letters; $ and ! belong to words, an apostrophe is left out."""
    if text.isascii():
        spaced = text.translate(_BETWEEN)
        return [word[:WORD_LIMIT] for word in spaced.split() if len(word) > 1][:WORDS_LIMIT]
    spaced = _BETWEEN_ANY.sub(" ", text.replace("'", ""))
    spaced = _UNSPACED.sub(r" \g<0> ", spaced)
    return [word[:WORD_LIMIT] for word in spaced.split() if len(word) > 1 or _UNSPACED.match(word)][
        :WORDS_LIMIT
    ]


def plain(word: str) -> str:
    """In lower case; what begins with a digit or a sign with zeros for its numbers, at most six."""
    word = word.lower()
    if word[0] <= "9":
        return _NUMBER.sub(lambda digits: "0" * min(len(digits[0]), 6), word)
    return word


def size(number: int) -> str:
    """0, 1, 2, 4, 8 ...: the power of two that a number reaches."""
    return str(number if number < 2 else 1 << (number.bit_length() - 1))


def organization(host: str) -> str:
    """The last two labels of a host's name, three where they are like co.uk."""
    labels = host.lower().strip(".").split(".")
    is_below_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if is_below_country else -2 :])
