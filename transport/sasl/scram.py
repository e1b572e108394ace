"""SASL SCRAM-SHA-256, the server's side (RFC 5802, RFC 7677). Pure: keys and their checks are `accounts.scram`'s.

No channel binding: Python's ssl has no tls-exporter (RFC 9266), so `p=` is refused and SCRAM-SHA-256-PLUS not offered.
A failed proof is answered by the protocol alone, without server-final-message (RFC 5802 §5.1, `e`).
"""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable

from transport.sasl.steps import Challenge, Claimed, Confirmed, Proof, SaslError, Step, text_of

NONCE_SIZE = 18

# gs2-header = gs2-cbind-flag "," [ "a=" saslname ] ","; client-first-message-bare = "n=" saslname "," "r=" c-nonce
_FIRST = re.compile(
    rb"(?P<header>(?P<flag>[ny]|p=[A-Za-z0-9.-]+),(?:a=(?P<authzid>[^,\0]+))?,)"
    rb"(?P<bare>n=(?P<name>[^,\0]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^,\0]+)*)"
)
# client-final-message = "c=" base64 "," "r=" nonce ["," extensions] "," "p=" base64
_FINAL = re.compile(
    rb"(?P<unproven>c=(?P<binding>[A-Za-z0-9/+=]+),r=(?P<nonce>[\x21-\x2b\x2d-\x7e]+)"
    rb"(?:,[A-Za-z]=[^,\0]+)*),p=(?P<proof>[A-Za-z0-9/+=]+)"
)
_BAD_ESCAPE = re.compile(r"=(?!2C|3D)")


class ScramExchange:
    """One authentication: the client's name, our salt, its proof, our signature."""

    def __init__(
        self, nonce: Callable[[], str] = lambda: secrets.token_urlsafe(NONCE_SIZE)
    ) -> None:
        self._new_nonce = nonce
        self._take: Callable[[bytes], Step] = self._take_first
        self._header = b""
        self._bare = b""
        self._nonce = b""
        self._server_first = b""

    def step(self, response: bytes | None) -> Step:
        if response is None:
            return Challenge(b"")
        return self._take(response)

    def challenge(self, salt: bytes, iterations: int) -> Challenge:
        """The server-first-message, once it is known whose salt."""
        self._server_first = b"r=%b,s=%b,i=%d" % (self._nonce, base64.b64encode(salt), iterations)
        self._take = self._take_final
        return Challenge(self._server_first)

    def confirm(self, signature: bytes) -> Challenge:
        """The server-final-message, once the proof holds. The protocols have no place for it but a challenge."""
        self._take = self._take_end
        return Challenge(b"v=" + base64.b64encode(signature))

    def _take_first(self, response: bytes) -> Step:
        first = _FIRST.fullmatch(response)
        if first is None:
            raise SaslError("this is no SCRAM client-first-message")
        if first["flag"].startswith(b"p"):
            raise SaslError("channel binding is not offered")
        login = _name(first["name"])
        if first["authzid"] is not None and _name(first["authzid"]) != login:
            raise SaslError("nobody may act for another account")
        self._header, self._bare = first["header"], first["bare"]
        self._nonce = first["nonce"] + self._new_nonce().encode("ascii")
        return Claimed(login)

    def _take_final(self, response: bytes) -> Step:
        final = _FINAL.fullmatch(response)
        if final is None:
            raise SaslError("this is no SCRAM client-final-message")
        if _decoded(final["binding"]) != self._header:
            raise SaslError("the channel binding differs")
        if not hmac.compare_digest(final["nonce"], self._nonce):
            raise SaslError("the nonce differs")
        auth_message = b",".join((self._bare, self._server_first, final["unproven"]))
        return Proof(_decoded(final["proof"]), auth_message)

    def _take_end(self, response: bytes) -> Step:
        if response:
            raise SaslError("nothing is left to say")
        return Confirmed()


def _name(word: bytes) -> str:
    """saslname: `=2C` is a comma, `=3D` an equals sign, and there is no other `=`."""
    text = text_of(word)
    if _BAD_ESCAPE.search(text):
        raise SaslError("`=` in a name is followed by 2C or 3D")
    return text.replace("=2C", ",").replace("=3D", "=")


def _decoded(word: bytes) -> bytes:
    try:
        return base64.b64decode(word, validate=True)
    except binascii.Error:
        raise SaslError("the response holds no base64") from None
