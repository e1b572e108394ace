"""SASLprep (RFC 4013, a profile of stringprep RFC 3454): one form for what people type as a password. Pure.

Only stored strings are prepared here, so unassigned code points are refused (RFC 4013 §2.5). RFC 8265 supersedes it
for new protocols; SCRAM's clients still prepare by this one (RFC 5802 §2.2).
"""

import stringprep
import unicodedata

_PROHIBITED = (  # RFC 4013 §2.3, and what is unassigned
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class Unpreparable(ValueError):
    """The text holds what no password may hold."""


def saslprep(text: str) -> str:
    """The text in the form that is hashed; raises Unpreparable, also when nothing is left of it."""
    if text.isascii():
        prepared = text
    else:
        mapped = (" " if stringprep.in_table_c12(c) else c for c in text)
        kept = "".join(c for c in mapped if not stringprep.in_table_b1(c))
        prepared = unicodedata.ucd_3_2_0.normalize("NFKC", kept)
    if not prepared:
        raise Unpreparable("nothing is left")
    if any(is_in(c) for c in prepared for is_in in _PROHIBITED):
        raise Unpreparable("a prohibited character")
    if not _is_one_direction(prepared):
        raise Unpreparable("left-to-right and right-to-left text are mixed")
    return prepared


def _is_one_direction(text: str) -> bool:
    """RFC 3454 §6"""
    if not any(stringprep.in_table_d1(c) for c in text):
        return True
    return (
        stringprep.in_table_d1(text[0])
        and stringprep.in_table_d1(text[-1])
        and not any(stringprep.in_table_d2(c) for c in text)
    )
