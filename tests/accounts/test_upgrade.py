"""Migrations on the data of an installation of the first version: it goes on, and its users log in."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import make_password

from accounts.authentication import verify_password
from accounts.entries import Login, LoginRefused
from accounts.secrets import secret_sha256
from tests.accounts.test_scram_login import log_in as log_in_by_scram
from tests.factories import PASSWORD, unique

ROOT = Path(__file__).parents[2]
FIRST_VERSION = ("accounts", "0003")

OF_THE_FIRST_VERSION = """
    INSERT INTO accounts_domain (name, mail_enabled, is_default, validate_app_from, created_at)
        VALUES ('old.example', true, true, true, now());
    INSERT INTO accounts_user (password, username, full_name, is_active, is_staff, created_at, domain_id)
        SELECT {password}, n.login, '', true, false, now(), d.id
        FROM accounts_domain d, unnest(ARRAY['ann', 'bob']) n(login);
    INSERT INTO accounts_app (name, local_part, display_name, is_active, created_at, domain_id)
        SELECT 'shop', '', '', true, now(), id FROM accounts_domain;
    INSERT INTO accounts_mailbox (name, user_id, used_bytes, used_messages, created_at)
        SELECT username, id, 0, 0, now() FROM accounts_user;
    INSERT INTO accounts_credential (label, secret_sha256, created_at, user_id)
        SELECT 'phone', {secret}, now(), id FROM accounts_user WHERE username = 'ann';
    INSERT INTO accounts_loginfailure (source, account, failures, last_at)
        VALUES ('192.0.2.1', 'ann@old.example', 3, now()), ('192.0.2.1', '', 3, now());
"""


@pytest.fixture
def old(
    database: psycopg.Connection[tuple[Any, ...]],
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A database of the first version, with users in it."""
    name = unique("upgrade")
    database.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    migrate(url, *FIRST_VERSION)
    parameters = psycopg.conninfo.conninfo_to_dict(database.info.dsn) | {"dbname": name}
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL(OF_THE_FIRST_VERSION).format(
                password=make_password(PASSWORD), secret=secret_sha256("secret")
            )
        )
        migrate(url)
        yield connection
    database.execute(f'DROP DATABASE "{name}"')


def migrate(url: str, *target: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0", *target],
        cwd=ROOT,
        check=True,
        timeout=120,
        env={**os.environ, "DATABASE_URL": url},
    )


def test_users_of_the_first_version_log_in_and_get_verifiers(
    old: psycopg.Connection[tuple[Any, ...]],
) -> None:
    salts = old.execute(
        "SELECT scram_salt FROM accounts_user UNION ALL SELECT scram_salt FROM accounts_app"
    ).fetchall()
    assert len(set(salts)) == 3
    assert {len(salt) for (salt,) in salts} == {16}
    source, ann, bob = "198.51.100.1", "ann@old.example", "bob@old.example"
    assert log_in_by_scram(old, bob, PASSWORD, source) == LoginRefused("unprepared")
    assert isinstance(verify_password(old, bob, PASSWORD, source), Login)
    assert isinstance(log_in_by_scram(old, bob, PASSWORD, source), Login)
    assert isinstance(verify_password(old, ann, PASSWORD, source), Login)
    assert log_in_by_scram(old, ann, PASSWORD, source) == LoginRefused("unprepared")
    assert isinstance(verify_password(old, ann, "secret", source), Login)
    for secret in (PASSWORD, "secret"):
        assert isinstance(log_in_by_scram(old, ann, secret, source), Login)
    refused = verify_password(old, ann, "wrong", "192.0.2.1")
    assert refused == LoginRefused("password")
    counts = old.execute("SELECT failures FROM accounts_loginfailure WHERE source = '192.0.2.1'")
    assert counts.fetchall() == [(4,), (4,)]
