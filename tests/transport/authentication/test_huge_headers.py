"""A header of a mebibyte stops nobody else: the event loop goes on."""

import asyncio
import time

from accounts.mailstore.headers import HEADER_LIMIT
from transport.authentication.authenticate import find_author_domains

FIELD = b"From: a@b.example\r\n"


def test_many_authors_are_read_beside_the_loop() -> None:
    async def longest_stall() -> float:
        task = asyncio.create_task(
            find_author_domains(FIELD * (HEADER_LIMIT // len(FIELD) - 10) + b"\r\n")
        )
        longest = 0.0
        while not task.done():
            started = time.thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.thread_time() - started)
        assert task.result() == ("b.example",)
        return longest

    assert asyncio.run(longest_stall()) < 0.1
