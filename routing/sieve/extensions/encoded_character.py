"""encoded-character: `${hex:...}` and `${unicode:...}` in strings (RFC 5228 §2.4.2.4)."""

import re

from routing.sieve.errors import InvalidUse
from routing.sieve.language import Extension
from routing.sieve.texts import whole_characters

_BLANK = r"(?:[ \t]|\r\n)"
_ENCODED = re.compile(
    rf"\$\{{(?:hex:{_BLANK}*+((?:[0-9a-f]{{1,2}})(?:{_BLANK}++[0-9a-f]{{1,2}})*+){_BLANK}*+"
    rf"|unicode:{_BLANK}*+([0-9a-f]++(?:{_BLANK}++[0-9a-f]++)*+){_BLANK}*+)\}}",
    re.IGNORECASE,
)


def _decode(text: str) -> str:
    if "${" not in text:
        return text
    # octets of one character may be told one by one; those that are no UTF-8 are U+FFFD
    return whole_characters(_ENCODED.sub(_decoded, text))


def _decoded(match: re.Match[str]) -> str:
    if match[1] is not None:
        octets = bytes(int(pair, 16) for pair in match[1].split())
        return octets.decode("utf-8", "surrogateescape")
    return "".join(map(_character, match[2].split()))


def _character(digits: str) -> str:
    digits = digits.lstrip("0") or "0"
    code = int(digits, 16) if len(digits) <= 6 else 0x110000
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise InvalidUse(f"{digits[:20]} is no Unicode character")
    return chr(code)


EXTENSION = Extension("encoded-character", decode_string=_decode)
