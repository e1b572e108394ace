"""include, return, global and ihave."""

import pytest

from routing.sieve.actions import Discard, FileInto, Keep
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import actions_of, errors_of, header, result_of

REQUIRE = 'require ["include", "variables", "fileinto", "imap4flags"];\n'


def host(**scripts: str) -> MemoryHost:
    personal = {name: (REQUIRE + text).encode() for name, text in scripts.items()}
    return MemoryHost(personal=personal, library={"site": b"discard; stop;"})


def test_an_included_script_acts_and_returns() -> None:
    scripts = host(a='fileinto "A"; return; fileinto "B";')
    script = f'{REQUIRE}include "a"; fileinto "C";'
    assert actions_of(script, host=scripts) == (FileInto("A"), FileInto("C"))
    assert actions_of(f'{REQUIRE}include :global "site"; fileinto "C";', host=scripts) == (
        Discard(),
    )
    assert actions_of(f"{REQUIRE}return; discard;") == (Keep(implicit=True),)


def test_scripts_within_blocks_end_before_the_stack_does() -> None:
    def within(name: str) -> str:
        opened = "if false {} elsif true {" * 31
        return f'require "include"; {opened} include "{name}"; {"}" * 31}'

    scripts = MemoryHost(personal={f"s{n}": within(f"s{n + 1}").encode() for n in range(9)})
    scripts.personal["s1"] = f"if {'not ' * 30} true {{ discard; }}".encode()
    assert actions_of(within("s0"), host=scripts) == (Discard(),)
    scripts.personal["s1"] = within("s2").encode()
    error = result_of(within("s0"), host=scripts).error
    assert error is not None
    assert "64 blocks" in error.message


def test_shared_variables() -> None:
    """The example of RFC 6609 §3.4.1."""
    scripts = host(
        subject_tests='global ["test", "test_mailbox"];'
        'if header :contains "Subject" "${test}" { set "test_mailbox" "spam-${test}"; }'
    )
    script = (
        f'{REQUIRE}global "test"; global "test_mailbox";'
        'set "test" "$$"; include "subject_tests"; set "test" "Make money"; include "subject_tests";'
        'if string "${test_mailbox}" "?*" { keep; } fileinto "${global.test_mailbox}";'
    )
    message = header("Subject: Make money now")
    assert actions_of(script, message, host=scripts)[-1] == FileInto("spam-Make money")


def test_other_variables_are_a_scripts_own() -> None:
    scripts = host(a='set "v" "inner"; fileinto "${v}${w}";')
    script = f'{REQUIRE}set "v" "outer"; set "w" "x"; include "a"; fileinto "${{v}}";'
    assert actions_of(script, host=scripts) == (FileInto("inner"), FileInto("outer"))


def test_flags_of_an_included_script_reach_the_implicit_keep() -> None:
    scripts = host(a=r'addflag "\\Flagged";')
    assert actions_of('require "include"; include "a";', host=scripts) == (
        Keep(("\\Flagged",), implicit=True),
    )


def test_once_and_optional() -> None:
    scripts = host(a='global "n"; set "n" "${n}x";')
    script = f'{REQUIRE}global "n"; include :once "a"; include :once "a"; fileinto "F${{n}}";'
    assert actions_of(script, host=scripts) == (FileInto("Fx"),)
    assert actions_of(f'{REQUIRE}include :optional "none";', host=scripts) == (Keep(implicit=True),)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ('include "none";', "no script"),
        ('include "loop";', "includes itself"),
        ('include "around";', "includes itself"),
        ('include "broken";', "broken: line 2"),
        ('set "v" "1"; global "v";', "own already"),
        ('include "twice";', "no address to redirect to (in the included script 'twice')"),
    ],
)
def test_run_errors(script: str, words: str) -> None:
    scripts = host(
        loop='include "loop";',
        around='include "back";',
        back='include "around";',
        broken="foo;",
        twice='redirect "${v}";',
    )
    assert words in str(result_of(REQUIRE + script, host=scripts).error)


@pytest.mark.parametrize(
    "script",
    ['include "${v}";', 'include "";', 'global "1";', 'global "a.b";', 'set "global.1" "x";',
     'include :personal :global "x";', 'set "other.x" "y";'],
)  # fmt: skip
def test_errors(script: str) -> None:
    assert errors_of(REQUIRE + script)


def test_a_known_extension_is_enabled_by_asking() -> None:
    script = 'require "ihave"; if ihave "fileinto" { fileinto "A"; } fileinto "B";'
    assert actions_of(script) == (FileInto("A"), FileInto("B"))


def test_the_use_of_an_unknown_one_is_an_error_only_if_it_runs() -> None:
    script = (
        'require "ihave"; if ihave ["fileinto", "vnd.none"] { something :odd "x" { else; } }'
        ' elsif not allof (ihave "vnd.none", strange "y") { discard; } else { more; }'
    )
    assert actions_of(script) == (Discard(),)
    result = result_of('require "ihave"; if not ihave "vnd.none" { something; }')
    assert "something" in str(result.error)
    assert errors_of('require "ihave"; if ihave "vnd.none" { keep 3; }')
    assert errors_of('require "ihave"; if ihave "fileinto" { nothing; }')


def test_an_extension_that_changes_strings_has_to_be_required() -> None:
    script = 'require "ihave"; if ihave "variables" { discard; }'
    assert actions_of(script) == (Keep(implicit=True),)


def test_error_ends_with_its_message() -> None:
    result = result_of('require "ihave"; discard; error "not today";')
    assert str(result.error) == "line 1, column 27: not today"
    assert result.actions == (Keep(implicit=True),)
