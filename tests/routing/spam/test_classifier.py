"""The classifier says nothing too early, and takes any bytes in bounded time."""

import time

import pytest

from routing.spam.classifier import Counts, Totals, classify
from routing.spam.tokens import TOKENS_LIMIT, keys_of, token_key, tokens_of

COUNTS = {token_key("cheap"): Counts(40, 0), token_key("minutes"): Counts(0, 40)}


def test_says_nothing_before_enough_was_learned() -> None:
    assert classify(keys_of({"cheap"}), COUNTS, Totals(49, 500)) is None
    assert classify(keys_of({"cheap"}), COUNTS, Totals(500, 49)) is None


def test_points_speak_for_spam_or_against_it() -> None:
    spam, ham = (classify(keys_of({word}), COUNTS, Totals(50, 50)) for word in ("cheap", "minutes"))
    assert spam is not None
    assert ham is not None
    assert spam.points >= 2
    assert spam.telling[0][0] == "cheap"
    assert ham.points < 0 < ham.probability < 0.5


def test_a_key_is_signed_64_bits_and_stable() -> None:
    assert token_key("cheap") == token_key("cheap") != token_key("cheap ")
    assert token_key("free") == 4537241982888953042, "what databases hold would be void"
    assert all(-(1 << 63) <= token_key(str(n)) < 1 << 63 for n in range(100))
    assert any(token_key(str(n)) < 0 for n in range(100))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(range(256)) * 4000,
        b"Content-Type: text/html\r\n\r\n" + b"<" * 1_000_000,
        b"Content-Type: text/html\r\n\r\n" + b"color=" * 200_000,
        b"\r\n" + b"".join(b"word%d " % n for n in range(200_000)),
        b"Received: " + b"a.1." * 1_000_000 + b"\r\n\r\n",
    ],
)
def test_hostile_input_is_bounded(content: bytes) -> None:
    begun = time.process_time()
    assert len(tokens_of(content)) <= TOKENS_LIMIT
    assert time.process_time() - begun < 1
