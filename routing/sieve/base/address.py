"""The test address, and the address parts (RFC 5228 §2.7.4, §5.1).

What stands in a group counts; a field that holds no address has no value. Encoded words are no part of an address.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.mailstore.headers import HeaderAddress
from routing.sieve.calls import Call, whole_address
from routing.sieve.kept_values import kept_values, key_of_values
from routing.sieve.language import AddressPart, Extension, FieldSource, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.texts import Text, texts_of, whole_characters

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

# Fields whose values are addresses, beside those of RFC 5228 §5.1; others are an error, as it allows.
_ADDRESS_FIELDS = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "resent-from",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "resent-sender",
        "resent-reply-to",
        "return-path",
        "delivered-to",
        "envelope-to",
        "x-original-to",
        "apparently-to",
        "errors-to",
        "mail-followup-to",
        "mail-reply-to",
        "disposition-notification-to",
        "return-receipt-to",
        "for-approval",
        "original-from",
        "content-from",  # of a part (RFC 5703 §4.2)
    ]
)


def local_part(address: HeaderAddress) -> str | None:
    return address.local_part


def domain(address: HeaderAddress) -> str | None:
    return address.domain


@dataclass(frozen=True, slots=True)
class _Address:
    names: Sequence[Text]
    fields: FieldSource
    part_of: Callable[[HeaderAddress], str | None]
    matcher: Matcher
    key: Hashable | None

    def holds(self, run: "Run") -> bool:
        return self.matcher.matches(run, kept_values(run, self.key, self._values))

    def _values(self, run: "Run") -> list[str]:
        names = [name for name in texts_of(run, self.names) if name.lower() in _ADDRESS_FIELDS]
        return [
            whole_characters(part)
            for field in self.fields(run, names)
            for address in field.addresses
            if (part := self.part_of(address)) is not None
        ]


def _build(call: Call) -> _Address:
    for name in call.texts(0):
        if isinstance(name, str) and name.lower() not in _ADDRESS_FIELDS:
            raise call.invalid(f"{name[:200]!r} is no field of addresses", 0)
    names, fields, part_of = call.texts(0), call.fields, call.part_of
    key = key_of_values(names, fields, part_of)
    return _Address(names, fields, part_of, call.matcher(call.texts(1)), key)


EXTENSION = Extension(
    "",
    tests=(
        Signature(
            "address",
            _build,
            (Shape.STRINGS, Shape.STRINGS),
            matches=True,
            address_part=True,
        ),
    ),
    address_parts=(
        AddressPart("localpart", local_part),
        AddressPart("domain", domain),
        AddressPart("all", whole_address),
    ),
)
