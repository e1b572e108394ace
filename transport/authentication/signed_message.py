"""A message as its signatures see it: each canonical form and hash is made once. RFC 6376 §3.4, §3.7. Pure."""

import hashlib
from collections.abc import Sequence

from accounts.mailstore.headers import Field, fields, header_end
from transport.authentication.canonical import relaxed_body, relaxed_value, simple_body

FIELDS_MAXIMUM = (
    999  # of a longer header the store does not know all fields: nothing in it is verified
)


class SignedMessage:
    """`fields` from the top; `has_too_many_fields` where there may be more than were read."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.header_size = header_end(content)
        self.fields: tuple[Field, ...] = tuple(fields(content, 0, self.header_size))
        self.has_too_many_fields = len(self.fields) > FIELDS_MAXIMUM
        self._places: dict[bytes, list[int]] = {}
        for place, field in enumerate(self.fields):
            self._places.setdefault(field.name, []).append(place)
        self._bodies: dict[str, bytes] = {}
        self._body_hashes: dict[tuple[str, int | None], bytes] = {}

    def of_name(self, name: bytes) -> list[Field]:
        """The fields of this lower-case name, from the top."""
        return [self.fields[place] for place in self._places.get(name, ())]

    def body_size(self, form: str) -> int:
        """Octets of the canonical body; `form` is "simple" or "relaxed"."""
        return len(self._body(form))

    def body_hash(self, form: str, length: int | None) -> bytes:
        """SHA-256 of the canonical body, or of its first `length` octets."""
        key = (form, length)
        if key not in self._body_hashes:
            self._body_hashes[key] = hashlib.sha256(self._body(form)[:length]).digest()
        return self._body_hashes[key]

    def header_hash(
        self, form: str, names: Sequence[str], own: Field, *, chained: bytes = b""
    ) -> bytes:
        """SHA-256 of the named fields, from the last of each name up, then `own` without its b= value and line break."""
        hasher = hashlib.sha256(chained)
        taken: dict[bytes, int] = {}
        for text in names:
            name = text.lower().encode("utf-8", "replace")
            places = self._places.get(name, ())
            count = taken[name] = taken.get(name, 0) + 1
            if count <= len(places):
                hasher.update(self.canonical(form, self.fields[places[-count]]))
        hasher.update(self.canonical(form, own, without_signature=True).removesuffix(b"\r\n"))
        return hasher.digest()

    def canonical(self, form: str, field: Field, *, without_signature: bool = False) -> bytes:
        """The field with its final line break, in canonical form."""
        if form == "simple":
            text = self.content[field.start : field.end]
            if not text.endswith(b"\r\n"):
                text = text.removesuffix(b"\n") + b"\r\n"
            name, _, value = text.partition(b":")
            return (
                name
                + b":"
                + (_unsigned(value.removesuffix(b"\r\n")) + b"\r\n" if without_signature else value)
            )
        value = _unsigned(field.value) if without_signature else field.value
        return field.name + b":" + relaxed_value(value) + b"\r\n"

    def _body(self, form: str) -> bytes:
        if form not in self._bodies:
            body = self.content[self.header_size :]
            self._bodies[form] = relaxed_body(body) if form == "relaxed" else simple_body(body)
        return self._bodies[form]


def _unsigned(value: bytes) -> bytes:
    """A signature's field value with the value of its b= tag, and the white space around it, taken out (§3.5, b=)."""
    specs = value.split(b";")
    for place, spec in enumerate(specs):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip() == b"b":
            specs[place] = name + equals
    return b";".join(specs)
