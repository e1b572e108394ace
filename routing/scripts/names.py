"""Names of Sieve scripts (RFC 5804 §1.6): Unicode, composed (RFC 5198 §2), without control characters. Pure."""

import re
import unicodedata

NAME_MAXIMUM = 128
"""Characters; the least that a server has to take."""

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ScriptNameInvalid(ValueError):
    """No script may be called that; the text says why."""


def script_name(text: str) -> str:
    """The name as it is stored and compared. Raises ScriptNameInvalid."""
    if not text:
        raise ScriptNameInvalid("The name of a script is not empty")
    if len(text) > NAME_MAXIMUM * 4:  # composing is not for free
        raise ScriptNameInvalid(f"The name has more than {NAME_MAXIMUM} characters")
    name = unicodedata.normalize("NFC", text)
    if len(name) > NAME_MAXIMUM:
        raise ScriptNameInvalid(f"The name has more than {NAME_MAXIMUM} characters")
    if _FORBIDDEN.search(name):
        raise ScriptNameInvalid("The name holds a control character")
    return name
