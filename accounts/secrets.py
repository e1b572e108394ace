"""Secrets at rest: what must be read back is encrypted, what is only compared is hashed.

Relay passwords, DKIM keys and DNS tokens are encrypted with settings.ENCRYPTION_KEYS: the first key encrypts,
any decrypts, so that keys can be rotated.
"""

import base64
import hashlib
import secrets
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """None of the keys in ENCRYPTION_KEY opens the secret."""


def encrypt(text: str) -> str:
    """The text under the first key, as ASCII."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode("ascii")


def decrypt(text: str) -> str:
    """What `encrypt` was given; raises CannotDecrypt."""
    try:
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(text.encode("ascii")).decode()
    except (InvalidToken, UnicodeError):
        raise CannotDecrypt("no key in ENCRYPTION_KEY opens this secret") from None


def generate_secret() -> str:
    """128 random bits as 26 letters and digits that are hard to confuse (RFC 4648 §6, lower case)."""
    return base64.b32encode(secrets.token_bytes(16)).decode("ascii").rstrip("=").lower()


def secret_sha256(secret: str) -> bytes:
    """What is kept of a generated secret. It cannot be guessed, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def stamp_of(encoded: str) -> bytes:
    """What tells one stored password hash from the next."""
    return hashlib.sha256(encoded.encode()).digest()


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise RuntimeError("ENCRYPTION_KEY is not set: nothing can be encrypted")
    return MultiFernet([Fernet(_fernet_key(key)) for key in keys])


def _fernet_key(key: str) -> bytes:
    """A key in Fernet's own form as it is; any other text is hashed into one."""
    try:
        Fernet(key)
    except ValueError:
        return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())
    return key.encode()
