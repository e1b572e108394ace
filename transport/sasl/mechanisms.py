"""The mechanisms, strongest first, and the two that send the password: PLAIN (RFC 4616), LOGIN
(draft-murchison-sasl-login-00). Pure.

An exchange is fed the client's responses, decoded from base64 by the protocol. Another mechanism is another exchange
in MECHANISMS; `transport.logins` carries out what it asks for.
"""

from collections.abc import Callable
from typing import Protocol

from transport.sasl.scram import ScramExchange
from transport.sasl.steps import Challenge, Credentials, SaslError, Step, text_of


class Exchange(Protocol):
    """One authentication in progress."""

    def step(self, response: bytes | None) -> Step:
        """Take a response (None: the client sent no initial one). Raises SaslError."""


class PlainExchange:
    """message = [authzid] NUL authcid NUL passwd"""

    def step(self, response: bytes | None) -> Challenge | Credentials:
        if response is None:
            return Challenge(b"")
        words = response.split(b"\0")
        if len(words) != 3 or not words[1] or not words[2]:
            raise SaslError("a PLAIN response is authzid NUL authcid NUL password")
        authorization, login, password = (text_of(word) for word in words)
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
            self._login = text_of(response)
            return Challenge(b"Password:")
        if not response:
            raise SaslError("the password is empty")
        return Credentials(self._login, text_of(response))


MECHANISMS: dict[str, Callable[[], Exchange]] = {
    "SCRAM-SHA-256": ScramExchange,
    "PLAIN": PlainExchange,
    "LOGIN": LoginExchange,
}
