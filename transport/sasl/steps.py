"""What an exchange of SASL says and hears, the same for SMTP, IMAP and ManageSieve (RFC 4422 §3). Pure."""

import binascii
from dataclasses import dataclass

RESPONSE_MAXIMUM = 12_288  # octets of base64, RFC 4954 §4


class SaslError(Exception):
    """The response is malformed, or asks for what is not granted; the text says what."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to send next, before base64."""

    text: bytes

    def encoded(self) -> str:
        """In base64, as it stands on the wire."""
        return binascii.b2a_base64(self.text, newline=False).decode("ascii")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the client says it is."""

    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who the client says it is; it will prove it when it hears this login's salt."""

    login: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that the client knows the password."""

    proof: bytes
    auth_message: bytes


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The client has heard that the server knows the password too."""


Step = Challenge | Credentials | Claimed | Proof | Confirmed


def decode_response(word: bytes) -> bytes:
    """A response from base64; `=` is an empty initial one (RFC 4954 §4). Raises SaslError."""
    if word == b"=":
        return b""
    try:
        return binascii.a2b_base64(word, strict_mode=True)
    except binascii.Error:
        raise SaslError("the response is no base64") from None


def text_of(word: bytes) -> str:
    """UTF-8 without NUL; raises SaslError."""
    try:
        text = word.decode()
    except UnicodeDecodeError:
        raise SaslError("the response is not UTF-8") from None
    if "\0" in text:
        raise SaslError("the response holds NUL")
    return text
