"""Verifiers and SASLprep, by the RFCs' own vectors."""

import base64
import hashlib
import hmac

import pytest

from accounts.saslprep import Unpreparable, saslprep
from accounts.scram import Verifier, is_current, make_verifier, salt_of_nobody

# RFC 7677 §3
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
AUTH_MESSAGE = (
    b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)
PROOF = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
SIGNATURE = base64.b64decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
STAMP = hashlib.sha256(b"kept").digest()


def test_the_rfc_s_proof_holds_and_its_signature_is_ours() -> None:
    verifier = make_verifier("pencil", SALT, STAMP, 4096)
    assert verifier
    assert verifier.is_proven_by(PROOF, AUTH_MESSAGE)
    assert verifier.server_signature(AUTH_MESSAGE) == SIGNATURE
    for wrong in (b"", PROOF[:-1], PROOF + b"\0", bytes(32), PROOF[::-1]):
        assert not verifier.is_proven_by(wrong, AUTH_MESSAGE)
    assert not verifier.is_proven_by(PROOF, AUTH_MESSAGE + b",")


def test_another_password_or_salt_is_not_proven() -> None:
    for password, salt in (("pencils", SALT), ("pencil", SALT[::-1])):
        verifier = make_verifier(password, salt, STAMP, 4096)
        assert verifier
        assert not verifier.is_proven_by(PROOF, AUTH_MESSAGE)


def test_what_is_kept_comes_back_and_ends_with_its_secret() -> None:
    verifier = make_verifier("pencil", SALT, STAMP)
    assert verifier
    kept = verifier.to_bytes()
    assert Verifier.from_bytes(kept) == verifier
    assert is_current(kept, STAMP)
    assert not is_current(kept, hashlib.sha256(b"another").digest())
    assert not is_current(b"", STAMP)
    older = make_verifier("pencil", SALT, STAMP, 4097)
    assert older
    assert not is_current(older.to_bytes(), STAMP)


def test_no_secret_can_be_read_off_the_verifier() -> None:
    verifier = make_verifier("pencil", SALT, STAMP)
    assert verifier
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", SALT, verifier.iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    for secret in (b"pencil", salted, client_key):
        assert secret not in verifier.to_bytes()


def test_nobody_s_salt_looks_like_others_and_stays() -> None:
    salt = salt_of_nobody(b"key", "ann@example.com")
    assert len(salt) == 16
    assert salt == salt_of_nobody(b"key", "ann@example.com")
    assert salt != salt_of_nobody(b"key", "bob@example.com")
    assert salt != salt_of_nobody(b"another", "ann@example.com")


@pytest.mark.parametrize(
    ("text", "prepared"),
    [  # RFC 4013 §3
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("correct horse", "correct horse"),
        ("a\u00a0b", "a b"),
        ("Zu\u0308rich", "Z\u00fcrich"),
    ],
)
def test_saslprep_maps_and_normalises(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text", ["\u0007", "\u0627\u0031", "", "\u00ad", "a\u0221", "\ue000", "\ud800"]
)
def test_what_saslprep_forbids_has_no_verifier(text: str) -> None:
    with pytest.raises(Unpreparable):
        saslprep(text)
    assert make_verifier(text, SALT, STAMP) is None
