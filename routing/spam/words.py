"""The words of a text as the classifier counts them: in lower case, numbers as their length, and each with the word before it."""

import re
from itertools import pairwise

# Han, kana and hangul write no spaces: each character counts as a word.
_WORD = re.compile(r"[^\W_][\w'$!-]{1,23}+|[$!]{2,10}|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_NUMBER = re.compile(r"\d+")


# Of one text; beyond them nothing is new but pages of it.
WORDS_LIMIT = 4000


def words(prefix: str, text: str) -> list[str]:
    """Each word after the prefix."""
    return [prefix + plain(word) for word in _WORD.findall(text)[:WORDS_LIMIT]]


def words_and_pairs(prefix: str, text: str) -> tuple[list[str], int]:
    """Words, what is written in capitals once more with a ^, neighbours as "one two"; and how many percent are in capitals."""
    written = _WORD.findall(text)[:WORDS_LIMIT]
    if not written:
        return [], 0
    capitals = [word for word in written if word.isupper() and len(word) > 2]
    plainly = [
        word if word[0] > "9" else plain(word) for word in " ".join(written).lower().split(" ")
    ]
    found = [prefix + word for word in plainly] if prefix else list(plainly)
    found += [f"{prefix}^{word.lower()}" for word in capitals]
    found += [f"{prefix}{one} {two}" for one, two in pairwise(plainly)]
    return found, 100 * len(capitals) // len(written)


def plain(word: str) -> str:
    """In lower case; what begins with a digit with zeros for its numbers, at most six."""
    word = word.lower()
    if word[0].isdigit():
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
