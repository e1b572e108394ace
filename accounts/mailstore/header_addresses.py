"""Address lists of header fields, read tolerantly. RFC 5322 §3.4 and §4.4, RFC 6532, RFC 7103 §7.1."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeaderAddress:
    """One address. Bytes are decoded as UTF-8 with surrogateescape, so that nothing is lost.

    `display` is unquoted, its encoded words kept (see `decode_words`); `domain` is "" where it is missing;
    `local_part` is unquoted.
    """

    display: str
    local_part: str
    domain: str


def parse_addresses(value: bytes) -> tuple[HeaderAddress, ...]:
    """The addresses of a From, To, ... value, groups flattened, at most ADDRESSES_LIMIT; () if none."""
    raise NotImplementedError
