"""Tag lists, `name=value; name=value`, as DKIM, ARC and DMARC write them. RFC 6376 §3.2. Pure."""

import binascii
import re

TAGS_MAXIMUM = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")


class TagListError(ValueError):
    """It is no tag list; the text says why."""


def parse_tags(text: str) -> dict[str, str]:
    """The values by their names, in the order written; white space around them is gone. Raises TagListError."""
    tags: dict[str, str] = {}
    specs = text.split(";", TAGS_MAXIMUM + 1)
    if len(specs) > TAGS_MAXIMUM:
        raise TagListError("too many tags")
    if not specs[-1].strip(" \t\r\n"):
        del specs[-1]
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(" \t\r\n")
        if not equals or not _NAME.match(name):
            raise TagListError("a tag without a name or a value")
        if name in tags:
            raise TagListError(f"two tags {name}=")
        tags[name] = value.strip(" \t\r\n")
    return tags


def without_white_space(value: str) -> str:
    """What base64 and lists in folded fields mean."""
    return _WHITE_SPACE.sub("", value)


def decode_base64(value: str) -> bytes:
    """The octets of a folded base64 value. Raises TagListError."""
    try:
        return binascii.a2b_base64(without_white_space(value), strict_mode=True)
    except (binascii.Error, ValueError) as error:  # ValueError: no ASCII
        raise TagListError(f"broken base64: {error}") from None
