"""The memory of passwords that were right."""

import os

from accounts.verified import BUCKET_SIZE, BUCKETS, REMEMBER_SECONDS, VerifiedCredentials


def test_it_holds_for_an_hour_for_this_account_hash_and_password() -> None:
    now = 0.0
    verified = VerifiedCredentials(clock=lambda: now)
    assert not verified.holds(1, "hash", "secret")
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
    kept = bytes(verified._entries)
    assert any(kept)
    assert b"secret" not in kept


def test_processes_forked_afterwards_share_it() -> None:
    verified = VerifiedCredentials()
    child = os.fork()
    if not child:
        verified.remember(1, "hash", "secret")
        os._exit(0 if verified.holds(1, "hash", "secret") else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert verified.holds(1, "hash", "secret")
    assert not VerifiedCredentials().holds(1, "hash", "secret")


def test_the_oldest_of_a_bucket_goes() -> None:
    now = 0.0
    verified = VerifiedCredentials(clock=lambda: now)
    for number in range(BUCKETS * BUCKET_SIZE * 2):
        now = number / 1000
        verified.remember(number, "hash", "secret")
    assert len(verified._entries) < 1.5 * 1024 * 1024
    assert verified.holds(number, "hash", "secret")
    held = [verified.holds(each, "hash", "secret") for each in range(number)]
    assert BUCKETS * BUCKET_SIZE * 0.9 < sum(held) <= BUCKETS * BUCKET_SIZE
    assert sum(held[-BUCKETS:]) > 0.95 * BUCKETS


def test_what_is_remembered_again_takes_one_entry() -> None:
    verified = VerifiedCredentials()
    for _ in range(100):
        verified.remember(1, "hash", "secret")
    assert (
        sum(
            1
            for offset in range(0, len(verified._entries), 32)
            if any(verified._entries[offset : offset + 32])
        )
        == 1
    )
