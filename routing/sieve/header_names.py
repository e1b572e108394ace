"""Names of header fields in scripts (RFC 5322 §2.2, RFC 5228 §2.4.2.2)."""

import re

from routing.sieve.calls import Call

_NAME = re.compile(r"[!-9;-~]+")


def is_header_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def check_header_names(call: Call, argument: int) -> None:
    """Warn of a constant that names no header field: it fits none, and is no error (RFC 5228 §2.4.2.2)."""
    for name in call.texts(argument):
        if isinstance(name, str) and not is_header_name(name):
            call.checker.warn(call.places[argument], f"{name[:200]!r} is no name of a header field")
