"""Fixtures of every test: the database of the run, and the ORM on it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import settings
from pytest_django.plugin import DjangoDbBlocker

from accounts import scram
from tests import embedded_database
from tests.dns_server import DnsServer

scram.ITERATIONS = 4096  # a sixteenth of the cost
pytest_plugins = ["tests.factories"]


def pytest_configure(config: pytest.Config) -> None:
    is_controller = bool(getattr(config.option, "numprocesses", None)) and not hasattr(
        config, "workerinput"
    )
    if is_controller:  # its workers only clone
        embedded_database.start_server()


def pytest_unconfigure(config: pytest.Config) -> None:
    embedded_database.stop_server()


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> None:
    """The run's server, and this process's own migrated database on it. In place of pytest-django's."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with django_db_blocker.unblock():
        embedded_database.use_database(f"tests_{worker}")


@pytest.fixture(scope="session", autouse=True)
def no_dns() -> Iterator[None]:
    """No test asks the DNS of this machine: a server here says of every name that there is none."""
    from transport.dns.resolver import resolver

    with DnsServer() as server:
        settings.DNS_NAMESERVERS = (server.address,)
        resolver.cache_clear()
        yield


@pytest.fixture
def database(django_db_setup: None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection of its own in autocommit. What a test writes stays: make own domains, and never flush."""
    from transport.database_threads import connection_string

    with psycopg.connect(connection_string(), autocommit=True, prepare_threshold=0) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield connection


@pytest.fixture
def orm(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Lets the test use Django's ORM, which commits at once: no transaction is wrapped around it."""
    with django_db_blocker.unblock():
        yield
