"""Octets in any charset that mail names, to text. RFC 2045 §5.2, RFC 6657; supersets as the WHATWG has them."""

import codecs
import re
from functools import lru_cache

# Python's codec -> the superset that text so labelled is often written in.
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
}
# Python's codecs that are no charsets of mail: transformations, some of them slow.
_REFUSED = frozenset(
    {
        "idna",
        "punycode",
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
        "mbcs",
        "oem",
        "palmos",
    }
)
_NAME_LIMIT = 60
_SURROGATE = re.compile("[\ud800-\udfff]")
_FALLBACK = "cp1252"


def decode_text(octets: bytes, charset: str) -> str:
    """The text of `octets`; what cannot be decoded becomes U+FFFD. Never raises.

    Without a charset, with US-ASCII and with an unknown one: UTF-8 if it is that, else Windows-1252.
    """
    codec = _codec(charset)
    if codec not in ("", "ascii", "utf-8"):
        try:
            text = octets.decode(codec, "replace")
            # Python lets halves of characters through there, which nothing can encode again
            return _SURROGATE.sub("\ufffd", text) if codec == "utf-7" else text
        except (UnicodeError, ValueError):
            codec = ""
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        # UTF-8 up to its end was cut there. (Python marks that by this constant text alone.)
        was_cut = error.reason == "unexpected end of data" and not octets[: error.start].isascii()
        if codec == "utf-8" or was_cut:
            return octets.decode("utf-8", "replace")
        return octets.decode(_FALLBACK, "replace")


@lru_cache(maxsize=256)
def _codec(charset: str) -> str:
    """Python's name of a charset; "" if it knows none."""
    name = charset.strip().lower().removeprefix("x-")
    if not name or len(name) > _NAME_LIMIT or not name.isascii() or "\0" in name:
        return ""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if not info._is_text_encoding or info.name.replace("-", "_") in _REFUSED:
        return ""
    return _SUPERSETS.get(info.name, info.name)
