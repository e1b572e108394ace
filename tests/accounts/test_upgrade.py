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
from accounts.mailstore.consistency import check_mailbox, check_shared
from accounts.mailstore.conversations import fill_conversations
from accounts.mailstore.folders import list_folders
from accounts.mailstore.sweep import sweep_messages
from accounts.secrets import secret_sha256
from tests.accounts.test_scram_login import log_in as log_in_by_scram
from tests.factories import PASSWORD, unique
from transport.database_threads import connection_string

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

# Of ann: a message in a folder, one that was expunged long ago, and one yesterday.
MAIL_OF_THE_FIRST_VERSION = """
    INSERT INTO mail_blob (sha256, size, content)
        SELECT sha256(c), octet_length(c), c FROM convert_to(E'Message-ID: <a@b>\r\n\r\n', 'UTF8') c;
    INSERT INTO mail_message
            (owner_id, id, blob_id, prefix, size, header_size, sent_at, sent_on, message_id, unfiled_at)
        SELECT m.id, n.id, b.id, '', b.size, b.size, now(), now(), 'a@b', n.at
        FROM accounts_mailbox m, mail_blob b, (VALUES
            (1, NULL), (2, now() - interval '20 days'), (3, now() - interval '1 day')) n (id, at)
        WHERE m.name = 'ann';
    INSERT INTO mail_rendered SELECT owner_id, id, '', '', '', '' FROM mail_message;
    INSERT INTO mail_search_text SELECT owner_id, id, '', '', '', '', '', '' FROM mail_message;
    INSERT INTO mail_folder
            (owner_id, name, uid_next, highest_modseq, message_count, unseen_count, size_bytes)
        SELECT owner_id, 'Shared/bob@old.example/Work', 2, 2, 1, 1, size FROM mail_message WHERE id = 1;
    INSERT INTO mail_entry
        SELECT owner_id, id, 1, 1, now(), now(), 0, 2 FROM mail_folder;
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
        SELECT owner_id, id, 2, 1, '1' FROM mail_folder;
    UPDATE accounts_mailbox b SET used_bytes = f.size_bytes, used_messages = 1
        FROM mail_folder f WHERE f.owner_id = b.id;
"""


@pytest.fixture(scope="module")
def old(django_db_setup: None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A database of the first version, with users and mail in it, and migrated since."""
    with psycopg.connect(connection_string(), autocommit=True) as database:
        yield from upgraded(database)


def upgraded(
    database: psycopg.Connection[tuple[Any, ...]],
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
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
        connection.execute(MAIL_OF_THE_FIRST_VERSION)
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


def test_mail_of_the_first_version_is_kept_and_swept(
    old: psycopg.Connection[tuple[Any, ...]],
) -> None:
    [(owner,)] = old.execute("SELECT id FROM accounts_mailbox WHERE name = 'ann'").fetchall()
    names = [folder.name for folder in list_folders(old, owner)]
    assert names == ["Shared (mine)/bob@old.example/Work"]
    assert sweep_messages(old, 14) == 1
    assert old.execute("SELECT id FROM mail_message ORDER BY id").fetchall() == [(1,), (3,)]
    while fill_conversations(old, owner):
        pass
    assert check_mailbox(old, owner) == check_shared(old) == []
