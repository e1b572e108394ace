"""duplicate, environment and mailbox."""

import pytest

from routing.sieve.actions import FileInto
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import MESSAGE, actions_of, errors_of, header, is_true, result_of

REQUIRE = 'require ["duplicate", "variables"];\n'


def seen(test: str, host: MemoryHost, message: bytes = MESSAGE) -> bool:
    result = result_of(f"{REQUIRE}if {test} {{ discard; }}", message, host=host)
    assert result.error is None
    host.memories |= {(memory.kind, memory.key) for memory in result.memories}
    return not result.keeps_implicitly


@pytest.mark.parametrize(
    "again",
    ["duplicate", 'duplicate :header "message-id"', 'duplicate :uniqueid "<fence@example.com>"'],
)
def test_an_id_is_the_same_wherever_it_comes_from(again: str) -> None:
    host = MemoryHost()
    assert [seen("duplicate", host), seen(again, host)] == [False, True]
    assert not seen('duplicate :handle "other"', host)
    assert not seen('duplicate :uniqueid "<FENCE@example.com>"', host)


def test_within_one_run_the_answer_stays() -> None:
    assert not seen("allof (duplicate, duplicate)", MemoryHost())


def test_what_has_no_id_is_never_a_duplicate() -> None:
    host = MemoryHost()
    for test in ("duplicate", 'duplicate :header "no name"', "duplicate :seconds 0"):
        assert [seen(test, host, header("Subject: x")) for _ in range(2)] == [False, False]


def test_only_last_refreshes_what_is_remembered() -> None:
    host = MemoryHost()
    assert not seen("duplicate", host)
    kept = result_of(f"{REQUIRE}if duplicate {{ discard; }}", host=host)
    assert kept.memories == ()
    renewed = result_of(f"{REQUIRE}if duplicate :last :seconds 60 {{ discard; }}", host=host)
    assert [memory.seconds for memory in renewed.memories] == [60]


def test_errors() -> None:
    assert errors_of(f'{REQUIRE}if duplicate :header "a" :uniqueid "b" {{ discard; }}')


def test_a_failed_script_remembers_nothing() -> None:
    script = 'require ["duplicate", "ihave"]; if not duplicate { error "x"; }'
    assert result_of(script).memories == ()


def test_environment() -> None:
    items = {"location": "MS", "empty": ""}
    require = ("environment", "relational")
    assert is_true('environment "Location" "ms"', require=require, environment=items)
    assert is_true('environment :contains "empty" ""', require=require, environment=items)
    assert not is_true('environment :contains "none" ""', require=require, environment=items)
    assert is_true('environment :count "eq" "empty" "0"', require=require, environment=items)


def test_mailbox() -> None:
    host = MemoryHost(folders={"Lists/django"})
    assert is_true('mailboxexists ["INBOX", "Lists/django"]', require=("mailbox",), host=host)
    assert not is_true('mailboxexists ["INBOX", "Other"]', require=("mailbox",), host=host)
    script = 'require ["mailbox", "fileinto"]; fileinto :create "New";'
    assert actions_of(script) == (FileInto("New", create=True),)
