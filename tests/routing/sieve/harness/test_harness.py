"""A package outside `routing` adds commands and tests to the language, and they test scripts from within a script."""

from pathlib import Path

import pytest

from routing.sieve.errors import InvalidScript
from routing.sieve.host import Alone, ScriptEnvelope
from routing.sieve.language import Language, standard
from routing.sieve.message import Message
from tests.routing.sieve.harness.extension import EXTENSION, NAME
from tests.routing.sieve.harness.state import HarnessHost

STORIES = Path(__file__).parent / "stories"


@pytest.fixture(scope="module")
def language() -> Language:
    return standard().extended(EXTENSION)


def run_story(language: Language, name: str) -> HarnessHost:
    host = HarnessHost()
    program = language.compile((STORIES / f"{name}.sieve").read_bytes())
    result = program.run(Message(b""), ScriptEnvelope(), host)
    assert result.error is None, result.error
    return host


@pytest.mark.parametrize(
    "name", sorted(path.stem for path in STORIES.glob("*.sieve") if path.stem != "failing")
)
def test_stories(language: Language, name: str) -> None:
    host = run_story(language, name)
    assert host.failed == []
    text = (STORIES / f"{name}.sieve").read_text()
    assert len(host.passed) == text.count("\ncase ")


def test_a_case_fails_alone_and_says_where(language: Language) -> None:
    host = run_story(language, "failing")
    assert host.failed == [
        "one that fails: line 5: as it should",
        "one with an error: line 11: a message is redirected 4 times at most",
    ]
    assert host.passed == ["one that passes"]


def test_the_extension_has_to_be_required(language: Language) -> None:
    with pytest.raises(InvalidScript) as caught:
        language.compile(b'case "a" {}')
    assert str(caught.value) == f"line 1, column 1: 'case' needs: require \"{NAME}\""


def test_the_standard_language_is_as_it_was(language: Language) -> None:
    assert NAME in language.capabilities
    assert NAME not in standard().capabilities
    with pytest.raises(InvalidScript):
        standard().compile(f'require "{NAME}";'.encode())


def test_another_host_is_an_error_of_the_run(language: Language) -> None:
    program = language.compile(f'require "{NAME}"; mailbox "a";'.encode())
    result = program.run(Message(b""), ScriptEnvelope(), Alone())
    assert str(result.error) == "line 1, column 32: the harness needs a host of its own"
