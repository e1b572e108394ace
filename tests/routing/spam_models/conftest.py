"""Mail to learn from."""

from collections.abc import Callable

import pytest


def make_message(number: int, is_spam: bool) -> bytes:
    words = "cheap pills winner" if is_spam else "minutes agenda draft"
    return (
        f"From: someone{number}@{'shop' if is_spam else 'office'}.example\r\n"
        f"Subject: {words} {number}\r\n\r\n{words} and more of it, letter{'abcdefgh'[number % 8]}\r\n"
    ).encode()


@pytest.fixture
def message() -> Callable[[int, bool], bytes]:
    """message(number, is_spam)"""
    return make_message
