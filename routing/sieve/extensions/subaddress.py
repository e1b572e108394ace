"""subaddress: the address parts `:user` and `:detail` (RFC 5233)."""

from accounts.addresses import split_subaddress
from accounts.mailstore.headers import HeaderAddress
from routing.sieve.language import AddressPart, Extension


def _user(address: HeaderAddress) -> str | None:
    return split_subaddress(address.local_part)[0]


def _detail(address: HeaderAddress) -> str | None:
    """None without a separator, which is another thing than an empty detail (§4)."""
    user, detail = split_subaddress(address.local_part)
    if len(user) == len(address.local_part):
        return None
    return detail


EXTENSION = Extension(
    "subaddress", address_parts=(AddressPart("user", _user), AddressPart("detail", _detail))
)
