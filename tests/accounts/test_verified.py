"""The memory of passwords that were right."""

from accounts.verified import REMEMBER_SECONDS, VerifiedCredentials


def test_it_holds_for_minutes_for_this_account_hash_and_password() -> None:
    now = 0.0
    verified = VerifiedCredentials(clock=lambda: now)
    verified.remember(1, "hash", "secret")
    assert verified.holds(1, "hash", "secret")
    assert not verified.holds(2, "hash", "secret")
    assert not verified.holds(1, "new hash", "secret")
    assert not verified.holds(1, "hash", "Secret")
    now = REMEMBER_SECONDS + 1
    assert not verified.holds(1, "hash", "secret")


def test_it_keeps_no_password() -> None:
    verified = VerifiedCredentials()
    verified.remember(1, "hash", "secret")
    assert b"secret" not in b"".join(verified._until)
