"""The fixtures that every other test stands on."""

import psycopg
from django.db import connection


def test_database_is_migrated_and_commits(database: psycopg.Connection, orm: None) -> None:
    (name,) = database.execute("SELECT current_database()").fetchone()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), to_regclass('mail_entry') IS NOT NULL")
        assert cursor.fetchone() == (name, True)


def test_locale_is_builtin_utf8(database: psycopg.Connection) -> None:
    row = database.execute(
        "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row == ("b", "C.UTF-8")
