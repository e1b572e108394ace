"""What other packages need to read header fields: one door to the modules that do it. RFC 5322, RFC 2047."""

from accounts.mailstore.encoded_words import decode_words
from accounts.mailstore.header_addresses import HeaderAddress, parse_addresses
from accounts.mailstore.header_fields import HEADER_LIMIT, Field, fields, header_end, unfold

__all__ = [
    "HEADER_LIMIT",
    "Field",
    "HeaderAddress",
    "decode_words",
    "fields",
    "header_end",
    "parse_addresses",
    "unfold",
]
