"""Secrets at rest: encrypted under a list of keys, or hashed."""

import pytest
from django.test import override_settings

from accounts.secrets import CannotDecrypt, decrypt, encrypt, generate_secret, secret_sha256


def test_what_is_encrypted_is_not_readable_and_comes_back() -> None:
    hidden = encrypt("pässword")
    assert hidden.isascii()
    assert "ssword" not in hidden
    assert decrypt(hidden) == "pässword"
    assert encrypt("pässword") != hidden


def test_keys_are_rotated_by_putting_a_new_one_first() -> None:
    with override_settings(ENCRYPTION_KEYS=("old",)):
        old = encrypt("secret")
    with override_settings(ENCRYPTION_KEYS=("new", "old")):
        assert decrypt(old) == "secret"
        new = encrypt("secret")
    with override_settings(ENCRYPTION_KEYS=("new",)):
        assert decrypt(new) == "secret"
        with pytest.raises(CannotDecrypt):
            decrypt(old)


def test_what_was_never_encrypted_is_refused() -> None:
    for text in ("", "plain", "ä"):
        with pytest.raises(CannotDecrypt):
            decrypt(text)


def test_without_a_key_nothing_is_encrypted() -> None:
    with override_settings(ENCRYPTION_KEYS=()), pytest.raises(RuntimeError, match="ENCRYPTION_KEY"):
        encrypt("secret")


def test_generated_secrets_have_128_bits_and_are_typed_easily() -> None:
    secrets = {generate_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert len(secret) == 26
        assert secret.isalnum()
        assert secret == secret.lower()
        assert len(secret_sha256(secret)) == 32
