"""A run asks its host a bounded number of questions, each of which may be a look-up in a database."""

import pytest

from routing.sieve.limits import QUESTIONS_MAXIMUM
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import result_of

HOST = MemoryHost(lists={str(number): set() for number in range(QUESTIONS_MAXIMUM + 1)})
REQUIRE = 'require ["duplicate", "extlists", "mboxmetadata", "servermetadata"];\n'


def asked(tests: list[str]) -> str:
    """The error of a script with all these tests, none of which holds."""
    script = "".join(f"if {test} {{ stop; }}\n" for test in tests)
    return str(result_of(REQUIRE + script, host=HOST).error or "")


@pytest.mark.parametrize(
    "test",
    [
        'duplicate :uniqueid "{}"',
        'header :list "subject" "{}"',
        'not valid_ext_list "{}"',
        'metadata "INBOX" "/private/{}" "x"',
        'metadataexists "{}" "/private/x"',
        'servermetadata "/shared/{}" "x"',
        'servermetadataexists "/shared/{}"',
    ],
)
def test_many_questions_are_too_many(test: str) -> None:
    tests = [test.format(number) for number in range(QUESTIONS_MAXIMUM + 1)]
    assert "asks too much" in asked(tests)
    assert asked(tests[1:]) == ""
    assert asked(tests[:1] * (QUESTIONS_MAXIMUM + 1)) == ""
