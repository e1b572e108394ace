"""variables and encoded-character: the examples of RFC 5229, and bounds."""

from time import process_time

import pytest

from routing.sieve.actions import FileInto
from tests.routing.sieve.scripts import actions_of, errors_of, header, is_true, result_of

REQUIRE = 'require ["variables", "fileinto", "encoded-character", "relational"];\n'


def value_of(script: str, text: str, message: bytes = header("Subject: x")) -> str:
    """What a text expands to after a script."""
    action = actions_of(f'{REQUIRE}{script}\nfileinto "F${{a}}{text}F";', message)[0]
    assert isinstance(action, FileInto)
    return action.folder[1:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&%${}!", "&%${}!"),
        ("${doh!}", "${doh!}"),
        ("${full}", ""),
        ("${company}", "ACME"),
        ("${BAD${Company}", "${BADACME"),
        ("${President, ${Company} Inc.}", "${President, ACME Inc.}"),
        (r"${compan\y}", "ACME"),
        (r"${compan\\y}", r"${compan\y}"),
        (r"\${company}", "ACME"),
        (r"\\${company}", r"\ACME"),
        ("${dollar}{beep}", "${beep}"),
        ("dear${hex:20 24 7b 63}ompany}", "dear ACME"),
    ],
)
def test_references(text: str, expected: str) -> None:
    assert value_of('set "company" "ACME"; set "dollar" "$";', text) == expected


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ('set "b" "${v}";', "juMBlEd lETteRS"),
        ('set :length "b" "${v}";', "15"),
        ('set :lower "b" "${v}";', "jumbled letters"),
        ('set :upperfirst "b" "${v}";', "JuMBlEd lETteRS"),
        ('set :upperfirst :lower "b" "${v}";', "Jumbled letters"),
        ('set :quotewildcard "b" "Rock*";', r"Rock\*"),
        ('set :upper "b" "groß é";', "GROß é"),
    ],
)
def test_modifiers(action: str, expected: str) -> None:
    assert value_of(f'set "v" "juMBlEd lETteRS"; {action}', "${b}") == expected


def test_match_variables() -> None:
    script = 'if header :matches "Subject" "[*] *" { set "x" "${0}|${1}|${02}|${3}"; }'
    message = header("Subject: [acme-users] [fwd] version 1.0")
    assert (
        value_of(script, "${x}", message)
        == "[acme-users] [fwd] version 1.0|acme-users|[fwd] version 1.0|"
    )


def test_match_variables_are_as_short_as_can_be() -> None:
    script = 'if address :matches "To" ["coyote@**.com", "wile@**.com"] { set "x" "${1}|${2}"; }'
    message = header("To: coyote@ACME.Example.COM")
    assert value_of(script, "${x}", message) == "|ACME.Example"


def test_a_test_that_is_not_needed_sets_nothing() -> None:
    script = 'if anyof (true, header :matches "Subject" "*") { set "x" "${1}"; }'
    assert value_of(script, "${x}") == ""


def test_string() -> None:
    state = 'allof (string :matches " ${state} " "* pending *", true)'
    assert not is_true(state, require=("variables",))
    assert (
        is_true('string :count "eq" ["", "a", ""] "3"', require=("variables", "relational"))
        is False
    )


@pytest.mark.parametrize(
    "script",
    [
        'set "1" "x";',
        'set "${a}" "x";',
        'set "a b" "x";',
        'set "ns.a" "x";',
        'set :upper :lower "a" "x";',
        'set :nothing "a" "x";',
        'fileinto "${ns.a}";',
        'fileinto "${unicode:200000}";',
        'fileinto "${Unicode:DF01}";',
    ],
)
def test_errors(script: str) -> None:
    assert [line for line, _, _ in errors_of(REQUIRE + script)] == [2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$${hex:40}", "$@"),
        ("${hex: 40 }", "@"),
        ("${HEX: 40}", "@"),
        ("${hex:40", "${hex:40"),
        ("${hex:400}", "${hex:400}"),
        ("${hex:4${hex:30}}", "${hex:40}"),
        ("${unicode:40}", "@"),
        ("${ unicode:40}", "${ unicode:40}"),
        ("${UnICoDE:0000040}", "@"),
        ("${Unicode:Cool}", "${Unicode:Cool}"),
        ("${hex:c3 a9}", "é"),
        ("${hex:c3}${hex:a9}", "é"),
    ],
)
def test_encoded_characters(text: str, expected: str) -> None:
    script = f'require ["fileinto", "encoded-character"]; fileinto "{text}";'
    assert actions_of(script)[0] == FileInto(expected)


def test_nothing_is_expanded_in_require() -> None:
    assert "'${a}'" in errors_of('require "variables"; require "${a}";')[0][2]


def test_growth_has_a_bound() -> None:
    doubling = 'set "a" "${a}${a}${a}${a}";' * 40
    script = (
        f'{REQUIRE}set "a" "0123456789"; {doubling} set :length "n" "${{a}}"; fileinto "${{n}}";'
    )
    action = actions_of(script)[0]
    assert isinstance(action, FileInto)
    assert int(action.folder) <= 65_536
    many = "".join(f'set "v{n}" "x";' for n in range(300))
    assert "variables at most" in str(result_of(REQUIRE + many).error)


@pytest.mark.parametrize("modifier", [":quotewildcard", ":upper", ":quoteregex", ":encodeurl"])
def test_changes_of_long_values_have_a_bound(modifier: str) -> None:
    doubled = 'set "a" "${a}${a}";' * 9
    changes = f'set {modifier} "b" "${{a}}";\n' * 2000
    requires = 'require ["variables", "regex", "enotify"];'
    start = process_time()
    result = result_of(f'{requires} set "a" "{"*é" * 500}"; {doubled} {changes}', header("A: b"))
    assert process_time() - start < 5
    assert result.error is not None
    assert result.error.message == "the script compares too much text"
