"""What is kept of a password so that SCRAM-SHA-256 can check it (RFC 5802 §3, RFC 7677). Pure.

A server-first message names one salt, and the client computes one proof; so all secrets of one account (its password
and its app passwords) share the account's salt, and the proof is tried with the keys of each.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass

from accounts.saslprep import Unpreparable, saslprep

ITERATIONS = 65_536
"""40 ms, once when a password is set and by the client at each login. RFC 7677 asks for 4096 at least, which would make
the keys the cheapest way to guess a stolen password; Cyrus SASL's clients refuse more than this."""
SALT_SIZE = 16
_KEY_SIZE = 32
_SIZE = 4 + 3 * _KEY_SIZE


@dataclass(frozen=True, slots=True)
class Verifier:
    """The keys of one secret. `made_for` is the SHA-256 of what is stored of the secret itself: they end with it."""

    iterations: int
    stored_key: bytes
    server_key: bytes
    made_for: bytes

    @classmethod
    def from_bytes(cls, kept: bytes) -> "Verifier | None":
        """What `to_bytes` made; None for b"", which is kept where there is none."""
        if len(kept) != _SIZE:
            return None
        keys = (kept[start : start + _KEY_SIZE] for start in range(4, _SIZE, _KEY_SIZE))
        return cls(int.from_bytes(kept[:4]), *keys)

    def to_bytes(self) -> bytes:
        return self.iterations.to_bytes(4) + self.stored_key + self.server_key + self.made_for

    def is_proven_by(self, proof: bytes, auth_message: bytes) -> bool:
        """Whether the client knows the secret (RFC 5802 §3: ClientKey := ClientProof XOR ClientSignature)."""
        if len(proof) != _KEY_SIZE:
            return False
        signature = hmac.digest(self.stored_key, auth_message, hashlib.sha256)
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        return hmac.compare_digest(hashlib.sha256(client_key).digest(), self.stored_key)

    def server_signature(self, auth_message: bytes) -> bytes:
        """What shows the client that the server knows it too."""
        return hmac.digest(self.server_key, auth_message, hashlib.sha256)


NOBODY = Verifier(ITERATIONS, bytes(_KEY_SIZE), bytes(_KEY_SIZE), bytes(_KEY_SIZE))
"""Keys that no secret has, to take the time of others."""


def make_verifier(
    secret: str, salt: bytes, made_for: bytes, iterations: int | None = None
) -> Verifier | None:
    """The keys of a secret; None when SASLprep forbids it, so that it works with PLAIN only."""
    iterations = iterations or ITERATIONS
    try:
        password = saslprep(secret).encode()
    except (Unpreparable, UnicodeEncodeError):
        return None
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", hashlib.sha256)
    return Verifier(
        iterations=iterations,
        stored_key=hashlib.sha256(client_key).digest(),
        server_key=hmac.digest(salted, b"Server Key", hashlib.sha256),
        made_for=made_for,
    )


def is_current(kept: bytes, made_for: bytes) -> bool:
    """Whether what is kept is a verifier of this secret, with today's iterations."""
    verifier = Verifier.from_bytes(kept)
    return verifier is not None and (verifier.iterations, verifier.made_for) == (
        ITERATIONS,
        made_for,
    )


def new_salt() -> bytes:
    """A salt for an account."""
    return os.urandom(SALT_SIZE)


def salt_of_nobody(key: bytes, login: str) -> bytes:
    """The salt that a login which nobody has is told, always the same: so that who exists is not told."""
    return hmac.digest(key, b"scram salt\0" + login.encode("utf-8", "replace"), hashlib.sha256)[
        :SALT_SIZE
    ]
