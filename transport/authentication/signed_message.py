"""A message as its signatures see it: each canonical form and hash is made once. RFC 6376 §3.4, §3.7. Pure."""

import hashlib
import threading
from collections.abc import Sequence

from accounts.mailstore.headers import HEADER_LIMIT, Field, fields, header_end
from transport.authentication.canonical import relaxed_body, relaxed_value, simple_body

FIELDS_MAXIMUM = (
    999  # of a longer header the store does not know all fields: nothing in it is verified
)


class SignedMessage:
    """`fields` from the top; `has_too_many_fields` where there may be more than were read. Threads may share one."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.header_size = header_end(content)
        self.fields: tuple[Field, ...] = tuple(fields(content, 0, self.header_size))
        self.has_too_many_fields = (
            len(self.fields) > FIELDS_MAXIMUM or self.header_size > HEADER_LIMIT
        )
        self._places: dict[bytes, list[int]] = {}
        for place, field in enumerate(self.fields):
            self._places.setdefault(field.name, []).append(place)
        self._canonical: dict[tuple[str, Field], bytes] = {}
        self._bodies: dict[str, tuple[bytes, int]] = {}
        self._lock = threading.Lock()

    def of_name(self, name: bytes) -> list[Field]:
        """The fields of this lower-case name, from the top."""
        return [self.fields[place] for place in self._places.get(name, ())]

    def body(self, form: str) -> tuple[bytes, int]:
        """SHA-256 of the canonical body, and its octets; `form` is "simple" or "relaxed"."""
        with (
            self._lock
        ):  # the next signature waits for the first's, and makes no other copy of a large body
            if form not in self._bodies:
                body = self.content[self.header_size :]
                body = relaxed_body(body) if form == "relaxed" else simple_body(body)
                self._bodies[form] = hashlib.sha256(body).digest(), len(body)
            return self._bodies[form]

    def header_hash(self, form: str, names: Sequence[str], own: Field) -> bytes:
        """SHA-256 of the named fields, from the last of each name up, then `own` without its b= value and line break."""
        hasher = hashlib.sha256()
        taken: dict[bytes, int] = {}
        for text in names:
            name = text.lower().encode("utf-8", "replace")
            places = self._places.get(name, ())
            count = taken[name] = taken.get(name, 0) + 1
            if count <= len(places):
                hasher.update(self.canonical(form, self.fields[places[-count]]))
        hasher.update(self.unsigned(form, own))
        return hasher.digest()

    def canonical(self, form: str, field: Field) -> bytes:
        """The field with its final line break, in canonical form."""
        key = (form, field)
        if key not in self._canonical:
            self._canonical[key] = self._in_form(form, field, field.value)
        return self._canonical[key]

    def unsigned(self, form: str, field: Field) -> bytes:
        """A signature's field as it is signed: without the value of b= and the final line break (§3.7)."""
        return self._in_form(form, field, _unsigned(field.value)).removesuffix(b"\r\n")

    def _in_form(self, form: str, field: Field, value: bytes) -> bytes:
        if form == "relaxed":
            return field.name + b":" + relaxed_value(value) + b"\r\n"
        name, colon, _ = self.content[field.start : field.end].partition(b":")
        return name + colon + value + b"\r\n"


def _unsigned(value: bytes) -> bytes:
    """A signature's field value with the value of its b= tag, and the white space around it, taken out (§3.5, b=)."""
    specs = value.split(b";")
    for place, spec in enumerate(specs):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip() == b"b":
            specs[place] = name + equals
    return b";".join(specs)
