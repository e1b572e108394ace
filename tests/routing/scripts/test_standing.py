"""Which scripts mail goes through, and the cache of their programs."""

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from accounts.mailstore.values import MailboxId
from routing.scripts import storage
from routing.scripts.programs import ProgramCache
from routing.scripts.standing import library_script, program_of, standing_scripts
from routing.sieve.errors import InvalidScript

Connection = psycopg.Connection[Any]


@pytest.fixture
def global_scripts(orm: None) -> Iterator[str]:
    """A prefix for names of global scripts, which are gone after the test."""
    from routing.models import GlobalScript

    prefix = uuid.uuid4().hex
    yield prefix
    GlobalScript.objects.filter(name__startswith=prefix).delete()


def test_the_enabled_global_scripts_and_the_active_ones_stand(
    database: Connection, mailbox: MailboxId, global_scripts: str
) -> None:
    from routing.models import GlobalScript

    def make(place: str, name: str, **settings: Any) -> None:
        GlobalScript.objects.create(
            place=place, name=f"{global_scripts}{name}", content=b"stop;", **settings
        )

    make("before", "2")
    make("before", "1")
    make("before", "3", is_enabled=False)
    make("after", "1")
    make("library", "1")
    make("library", "2", is_enabled=False)
    storage.put_script(database, mailbox, "mine", b"keep;")
    assert not standing_scripts(database, [mailbox]).active
    storage.activate_script(database, mailbox, "mine")
    standing = standing_scripts(database, [mailbox, MailboxId(0)])
    assert [one.name.removeprefix(global_scripts) for one in standing.before] == ["1", "2"]
    assert [one.name.removeprefix(global_scripts) for one in standing.after] == ["1"]
    assert {owner: one.name for owner, one in standing.active.items()} == {mailbox: "mine"}
    assert library_script(database, f"{global_scripts}1") == b"stop;"
    assert library_script(database, f"{global_scripts}2") is None
    assert program_of(database, standing.before[0]) is program_of(database, standing.after[0])


def test_a_program_that_is_known_costs_no_round_trip(
    database: Connection, mailbox: MailboxId
) -> None:
    storage.put_script(database, mailbox, "mine", f"# {uuid.uuid4()}\nkeep;".encode())
    storage.activate_script(database, mailbox, "mine")
    standing = standing_scripts(database, [mailbox]).active[mailbox]
    program = program_of(database, standing)
    assert program is not None
    storage.activate_script(database, mailbox, "")
    storage.delete_script(database, mailbox, "mine")
    assert program_of(database, standing) is program


def test_what_has_gone_meanwhile_is_no_program(database: Connection, mailbox: MailboxId) -> None:
    storage.put_script(database, mailbox, "mine", f"# {uuid.uuid4()}\nkeep;".encode())
    storage.activate_script(database, mailbox, "mine")
    standing = standing_scripts(database, [mailbox]).active[mailbox]
    storage.activate_script(database, mailbox, "")
    storage.delete_script(database, mailbox, "mine")
    assert program_of(database, standing) is None


def test_a_text_is_compiled_once() -> None:
    cache = ProgramCache()
    assert cache.compiled(b"keep;") is cache.compiled(b"keep;")


def test_errors_are_remembered_and_told_again() -> None:
    cache = ProgramCache()
    for _ in range(2):
        with pytest.raises(InvalidScript) as caught:
            cache.compiled(b"nonsense")
        assert caught.value.errors
    assert len(cache) == 1


def test_the_least_used_program_goes_first() -> None:
    cache = ProgramCache(programs=2)
    first = cache.compiled(b"keep;")
    cache.compiled(b"stop;")
    assert cache.compiled(b"keep;") is first
    cache.compiled(b"discard;")
    assert len(cache) == 2
    assert cache.compiled(b"keep;") is first


def test_large_programs_leave_the_cache() -> None:
    cache = ProgramCache(octets=100)
    cache.compiled(b"keep;" + b" " * 60)
    cache.compiled(b"stop;" + b" " * 60)
    assert len(cache) == 1
    cache.compiled(b"stop;" + b" " * 200)
    assert len(cache) == 1
