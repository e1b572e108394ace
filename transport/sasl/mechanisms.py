"""SASL PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login-00), the same for SMTP, IMAP and ManageSieve. Pure.

An exchange is fed the client's responses, decoded from base64 by the protocol, and answers with the next challenge
or with credentials. Another mechanism is another exchange in MECHANISMS.
"""

import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

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


class Exchange(Protocol):
    """One authentication in progress."""

    def step(self, response: bytes | None) -> Challenge | Credentials:
        """Take a response (None: the client sent no initial one). Raises SaslError."""


class PlainExchange:
    """message = [authzid] NUL authcid NUL passwd"""

    def step(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(b"")
        words = response.split(b"\0")
        if len(words) != 3 or not words[1] or not words[2]:
            raise SaslError("a PLAIN response is authzid NUL authcid NUL password")
        authorization, login, password = (_text(word) for word in words)
        if authorization not in ("", login):
            raise SaslError("nobody may act for another account")
        return Credentials(login, password)


class LoginExchange:
    """Two questions. Some clients send the name with the command, some an empty initial response."""

    def __init__(self) -> None:
        self._login = ""

    def step(self, response: bytes | None) -> Challenge | Credentials:
        if not self._login:
            if not response:
                return Challenge(b"Username:")
            self._login = _text(response)
            return Challenge(b"Password:")
        if not response:
            raise SaslError("the password is empty")
        return Credentials(self._login, _text(response))


MECHANISMS: dict[str, Callable[[], Exchange]] = {"PLAIN": PlainExchange, "LOGIN": LoginExchange}


def decode_response(word: bytes) -> bytes:
    """A response from base64; `=` is an empty initial one (RFC 4954 §4). Raises SaslError."""
    if word == b"=":
        return b""
    try:
        return binascii.a2b_base64(word, strict_mode=True)
    except binascii.Error:
        raise SaslError("the response is no base64") from None


def _text(word: bytes) -> str:
    try:
        text = word.decode()
    except UnicodeDecodeError:
        raise SaslError("the response is not UTF-8") from None
    if "\0" in text:
        raise SaslError("the response holds NUL")
    return text
