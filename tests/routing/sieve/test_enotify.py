"""enotify, extlists, spamtest, virustest."""

import pytest

from routing.sieve.actions import FileInto, Keep, Notify, Redirect
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import actions_of, errors_of, header, is_true, result_of

REQUIRE = 'require ["enotify", "fileinto", "variables", "envelope", "extlists"];\n'


def test_the_first_example() -> None:
    """RFC 5435 §3.7."""
    script = f"""{REQUIRE}
    if header :contains "from" "boss@example.org" {{
        notify :importance "1" :message "This is probably very important" "mailto:alm@example.com";
        stop;
    }}
    if header :matches "Subject" "*" {{ set "subject" "${{1}}"; }}
    notify :importance "3" :options ["a=1", "b=x=y"] :from "me@example.org"
        :message "[SIEVE] ${{subject}}" "mailto:alm@example.com";
    fileinto "INBOX.sieve";
    """
    important = Notify("mailto:alm@example.com", "This is probably very important", importance=1)
    assert actions_of(script, header("From: boss@example.org")) == (
        important,
        Keep(implicit=True),
    )
    notify = Notify(
        "mailto:alm@example.com",
        "[SIEVE] hi",
        "me@example.org",
        3,
        (("a", "1"), ("b", "x=y")),
    )
    assert actions_of(script, header("Subject: hi")) == (notify, FileInto("INBOX.sieve"))


def test_values_are_encoded_for_a_uri() -> None:
    script = (
        f'{REQUIRE}set :encodeurl "b" "Safe body&evil=évil~";'
        'notify "mailto:tim@example.com?body=${b}";'
    )
    action = actions_of(script)[0]
    assert isinstance(action, Notify)
    assert action.method == "mailto:tim@example.com?body=Safe%20body%26evil%3D%C3%A9vil~"


@pytest.mark.parametrize(
    ("uris", "is_valid"),
    [
        ('"mailto:a@example.com"', True),
        ('["mailto:a@example.com?subject=x%20y", "MAILTO:b@example.com"]', True),
        ('["mailto:a@example.com", "http://gw.example.net/notify?test"]', False),
        ('"mailto:"', False),
        ('"mailto:nobody"', False),
        ('"mailto:a@example.com?subject=%zz"', False),
        ('""', False),
    ],
)
def test_valid_methods(uris: str, is_valid: bool) -> None:
    assert is_true(f"valid_notify_method {uris}", require=("enotify",)) is is_valid


def test_capabilities() -> None:
    for uri, name, key, holds in (
        ("mailto:a@example.com", "Online", "maybe", True),
        ("mailto:a@example.com", "Online", "yes", False),
        ("mailto:a@example.com", "other", "maybe", False),
        ("xmpp:tim@example.com", "online", "maybe", False),
    ):
        test = f'notify_method_capability "{uri}" "{name}" "{key}"'
        assert is_true(test, require=("enotify",)) is holds


def test_a_method_that_is_not_known_is_an_error_as_it_runs() -> None:
    script = f'{REQUIRE}if false {{ notify "tel:+14085551212"; }}'
    assert actions_of(script) == (Keep(implicit=True),)
    assert "mailto" in str(result_of(f'{REQUIRE}notify "tel:+14085551212";').error)


@pytest.mark.parametrize(
    "script",
    ['notify "mailto:";', 'notify :importance "4" "mailto:a@b.example";', 'notify "nothing";',
     'notify :options "x" "mailto:a@b.example";'],
)  # fmt: skip
def test_errors(script: str) -> None:
    assert errors_of(REQUIRE + script)


def test_lists() -> None:
    host = MemoryHost(lists={"friends": {"tom@example.com"}})
    test = 'envelope :list "from" ["friends"]'
    assert is_true(test, require=("envelope", "extlists"), host=host)
    assert not is_true('header :list "subject" "friends"', require=("extlists",), host=host)
    assert is_true('valid_ext_list "friends"', require=("extlists",), host=host)
    assert not is_true('valid_ext_list ["friends", "foes"]', require=("extlists",), host=host)
    script = f'{REQUIRE}if {test} {{ fileinto "F-${{0}}"; }}'
    assert actions_of(script, host=host) == (FileInto("F-tom@example.com"),)
    assert actions_of(f'{REQUIRE}redirect :list "friends";', host=host) == (
        Redirect("", list_name="friends"),
    )
    for broken in ('redirect :list "foes";', f"if {test.replace('friends', 'foes')} {{ keep; }}"):
        assert "no list" in str(result_of(REQUIRE + broken, host=host).error)
    assert errors_of(f'{REQUIRE}redirect "friends";')


NUMERIC = ':comparator "i;ascii-numeric"'


@pytest.mark.parametrize(
    ("test", "environment", "holds"),
    [
        (f'spamtest :value "eq" {NUMERIC} "0"', {}, True),
        (f'spamtest :value "ge" {NUMERIC} "3"', {"spamtest": "10"}, True),
        (f'spamtest :percent :value "gt" {NUMERIC} "50"', {"spamtest.percent": "9"}, False),
        ('spamtest :percent :count "eq" "0"', {}, True),
        ('spamtest :percent :count "eq" "1"', {"spamtest.percent": "0"}, True),
        ('virustest "5"', {"virustest": "5"}, True),
        ('virustest "0"', {}, True),
    ],
)
def test_scores(test: str, environment: dict[str, str], holds: bool) -> None:
    require = ("spamtest", "spamtestplus", "virustest", "relational", "comparator-i;ascii-numeric")
    assert is_true(test, require=require, environment=environment) is holds


def test_percent_needs_its_extension() -> None:
    assert errors_of('require "spamtest"; if spamtest :percent "5" { keep; }')
    assert not errors_of('require "spamtestplus"; if spamtest :percent "5" { keep; }')
