"""The complete servers that these tests share. They are slow to start: one for a whole run."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.servers import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One complete server with the domain example.test."""
    with Server.start("127.0.0.1", "mail.example.test") as started:
        started.add_domain("example.test")
        yield started
