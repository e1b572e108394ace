"""The daemons, once a worker; a process's filters on the database of the run."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.transport.filters import daemons
from transport.database_threads import DatabaseThreads
from transport.filters.asking import Filters

PASSWORD = "of the controller"
OpenFilters = Callable[[], AbstractAsyncContextManager[Filters]]
SetUp = Callable[..., None]


@pytest.fixture(scope="session")
def directory() -> Iterator[Callable[[], Path]]:
    """Makes short ones, for sockets."""
    with tempfile.TemporaryDirectory(prefix="filters-", ignore_cleanup_errors=True) as top:
        yield lambda: Path(tempfile.mkdtemp(dir=top))


@pytest.fixture(scope="session")
def spamd(directory: Callable[[], Path]) -> Iterator[str]:
    with daemons.spamd(directory()) as address:
        yield address


@pytest.fixture(scope="session")
def clamd(directory: Callable[[], Path]) -> Iterator[str]:
    with daemons.clamd(directory()) as address:
        yield address


@pytest.fixture(scope="session")
def rspamd(directory: Callable[[], Path]) -> Iterator[tuple[str, str]]:
    with daemons.rspamd(directory(), PASSWORD) as addresses:
        yield addresses


@pytest.fixture
def set_up(database: psycopg.Connection[Any]) -> Iterator[SetUp]:
    """Changes a filter's row; all are as they come after the test."""
    cursor = database.execute("SELECT * FROM transport_externalfilter")
    columns = [one.name for one in cursor.description or ()]
    rows = cursor.fetchall()

    def change(name: str, /, **values: Any) -> None:
        for column, value in values.items():
            database.execute(
                f"UPDATE transport_externalfilter SET {column} = %s WHERE name = %s",  # type: ignore[arg-type]
                (value, name),
            )

    change("spamassassin", is_on=False)
    yield change
    for row in rows:
        values = dict(zip(columns, row, strict=True))
        change(values["name"], **values)


@pytest.fixture
def open_filters(set_up: SetUp) -> OpenFilters:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Filters]:
        threads = DatabaseThreads()
        filters = Filters(threads)
        try:
            yield filters
        finally:
            await filters.close()
            threads.close()

    return opened
