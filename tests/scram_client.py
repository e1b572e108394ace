"""The client's side of SCRAM-SHA-256 (RFC 5802), written apart from the server's."""

import base64
import hashlib
import hmac
import secrets


class ScramClient:
    """`first()`, then `final(server_first)`, then `is_server(server_final)`."""

    def __init__(self, login: str, password: str, *, nonce: str = "", flag: str = "n") -> None:
        self._password = password.encode()
        self._header = f"{flag},,"
        name = login.replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={name},r={nonce or secrets.token_hex(12)}"
        self._signature = b""

    def first(self) -> bytes:
        return (self._header + self._bare).encode()

    def final(self, server_first: bytes) -> bytes:
        words = dict(word.split("=", 1) for word in server_first.decode().split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", self._password, base64.b64decode(words["s"]), int(words["i"])
        )
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        unproven = f"c={base64.b64encode(self._header.encode()).decode()},r={words['r']}"
        message = ",".join((self._bare, server_first.decode(), unproven)).encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(
            hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"
        )
        return f"{unproven},p={base64.b64encode(proof).decode()}".encode()

    def is_server(self, server_final: bytes) -> bool:
        return server_final == b"v=" + base64.b64encode(self._signature)
