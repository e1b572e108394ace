"""Addresses that scripts name: RFC 5228 §2.4.2.3."""

from contextlib import suppress

from accounts.addresses import AddressSyntaxError, parse_address
from accounts.mailstore.headers import parse_addresses

ADDRESS_MAXIMUM = 1000  # characters, with the name


def plain_address(text: str) -> str | None:
    """The address without a name around it, as `Somebody <a@example.com>`; None for anything but one address."""
    text = text.strip()
    if not text or len(text) > ADDRESS_MAXIMUM or "\n" in text or "\r" in text:
        return None
    if text.endswith(">"):
        found = parse_addresses(text.encode("utf-8", "surrogatepass"))
        if len(found) != 1:
            return None
        text = f"{found[0].local_part}@{found[0].domain}"
    with suppress(AddressSyntaxError):
        return str(parse_address(text))
    return None
