"""Values with parameters: Content-Type and Content-Disposition. RFC 2045 §5.1, RFC 2183 §2, RFC 2231.

Parameters are kept as they were sent, RFC 2231's pieces too: BODYSTRUCTURE sends those. `parameter_text` puts the
pieces together for our own use.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from accounts.mailstore.charsets import decode_text
from accounts.mailstore.encoded_words import decode_words

PARAMETERS_LIMIT = 50
VALUE_LIMIT = 16 * 1024

Parameters = tuple[tuple[bytes, bytes], ...]

# token = 1*<any CHAR except SPACE, CTLs, tspecials>; 8-bit is refused as well
_TOKEN = rb"[!#-'*+.0-9A-Z^-~-]++"
# (text/html charset=utf-8, without the semicolon, is common enough to be read as it is meant)
_TYPE = re.compile(rb"\s*+(%b)\s*+/\s*+(%b)(?=[\s;(]|\Z)" % (_TOKEN, _TOKEN))
_DISPOSITION = re.compile(rb"\s*+(%b)\s*+(?=[;(]|\Z)" % _TOKEN)
# parameter = attribute "=" value; an unquoted value with spaces is taken up to the semicolon
_PARAMETER = re.compile(
    rb""";\s*+(%b)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^;]*+))""" % _TOKEN, re.DOTALL
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT = re.compile(rb"\([^()]*\)\s*\Z")


@dataclass(frozen=True, slots=True)
class MediaType:
    """A Content-Type; the type and the parameters' names in lower case."""

    type: bytes
    subtype: bytes
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class ContentDisposition:
    """A Content-Disposition; `kind` and the parameters' names in lower case."""

    kind: bytes
    parameters: Parameters = ()


US_ASCII: Parameters = ((b"charset", b"us-ascii"),)
PLAIN_TEXT = MediaType(b"text", b"plain", US_ASCII)
WHOLE_MESSAGE = MediaType(b"message", b"rfc822")


def parse_media_type(value: bytes) -> MediaType | None:
    """An unfolded Content-Type; None where it is none, which makes the part plain text (RFC 2045 §5.2)."""
    value = value[:VALUE_LIMIT]
    match = _TYPE.match(value)
    if match is None:
        return None
    rest = value[match.end() :].strip()
    parameters = (
        tuple(_parameters(rest if rest.startswith(b";") else b";" + rest, 0)) if rest else ()
    )
    return MediaType(match[1].lower(), match[2].lower(), parameters)


def parse_disposition(value: bytes) -> ContentDisposition | None:
    """An unfolded Content-Disposition; None if it is none."""
    value = value[:VALUE_LIMIT]
    match = _DISPOSITION.match(value)
    return match and ContentDisposition(match[1].lower(), tuple(_parameters(value, match.end())))


def parameter(parameters: Parameters, name: bytes) -> bytes | None:
    """A parameter's raw value, the pieces that RFC 2231 §3 allows joined; None if there is none."""
    for found, value in parameters:
        if found == name:
            return value
    value = b"".join(text for text, _ in _pieces(parameters, name))
    return value or None


def parameter_text(parameters: Parameters, name: bytes) -> str:
    """A parameter's value as text: RFC 2231, or encoded words where they do not belong; "" if there is none."""
    pieces = _pieces(parameters, name)
    if not pieces:
        return decode_words(parameter(parameters, name) or b"")
    charset = b""
    if pieces[0][1] and pieces[0][0].count(b"'") >= 2:
        charset, _, first = pieces[0][0].split(b"'", 2)
        pieces[0] = first, True
    octets = b"".join(unquote_to_bytes(text) if encoded else text for text, encoded in pieces)
    return decode_text(octets, charset.decode("ascii", "replace"))


def _parameters(value: bytes, position: int) -> Iterator[tuple[bytes, bytes]]:
    for _ in range(PARAMETERS_LIMIT):
        position = value.find(b";", position)
        if position < 0:
            return
        match = _PARAMETER.match(value, position)
        if match is None:
            position += 1
            continue
        name, quoted, bare = match.groups()
        if quoted is not None:
            yield name.lower(), _ESCAPED.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        else:
            bare = bare.strip().lstrip(b'"')
            yield name.lower(), _COMMENT.sub(b"", bare).rstrip() if bare.endswith(b")") else bare
        position = match.end()


def _pieces(parameters: Parameters, name: bytes) -> list[tuple[bytes, bool]]:
    """The values of name*, or of name*0, name*1*, ... in order, and whether each is percent-encoded."""
    prefix = name + b"*"
    found = {key[len(prefix) :]: value for key, value in parameters if key.startswith(prefix)}
    if b"" in found:
        return [(found[b""], True)]
    pieces: list[tuple[bytes, bool]] = []
    while True:
        number = b"%d" % len(pieces)
        if number in found:
            pieces.append((found[number], False))
        elif number + b"*" in found:
            pieces.append((found[number + b"*"], True))
        else:
            return pieces
