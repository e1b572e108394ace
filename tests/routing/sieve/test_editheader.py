"""editheader (RFC 5293): what becomes of the header, and what stays."""

import pytest

from routing.sieve.actions import FileInto, Keep, Redirect
from routing.sieve.extensions.editheader import EDITS_MAXIMUM
from routing.sieve.message import Message
from tests.routing.sieve.scripts import MESSAGE, actions_of, errors_of, header, result_of

REQUIRE = 'require ["editheader", "fileinto", "variables"];\n'
HELLO = header("X-Hello: one", "Subject: s", "X-Hello: two", "x-hello: three")


def edited(script: str, message: bytes = HELLO) -> list[str]:
    """The lines of the header after the script."""
    result = result_of(REQUIRE + script, message)
    assert result.error is None, result.error
    content = result.message.content
    assert content.endswith(message[message.index(b"\r\n\r\n") :])
    return content.split(b"\r\n\r\n")[0].decode().split("\r\n")


def test_adds_before_all_others_or_behind_them() -> None:
    lines = edited('addheader "X-A" "first"; addheader :last "X-B" "last";')
    assert lines == ["X-A: first", *HELLO.decode().splitlines()[:4], "X-B: last"]


def test_a_field_that_was_added_is_deleted_as_the_first() -> None:
    """The first example of §7 leaves the message as it was."""
    script = 'addheader "X-Hello" "World"; deleteheader :index 1 "X-Hello";'
    assert edited(script) == HELLO.decode().splitlines()[:4]


def test_what_is_deleted_counts_no_more() -> None:
    """The second example of §7: the first and the third are deleted."""
    script = 'deleteheader :index 1 "X-Hello"; deleteheader :index 2 "X-Hello";'
    assert edited(script) == ["Subject: s", "X-Hello: two"]


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ('deleteheader "X-Hello"', ""),
        ('deleteheader :matches "X-Hello"', ""),
        ('deleteheader "X-HELLO" ["one", "three"]', "two"),
        ('deleteheader :contains "X-Hello" "t"', "one"),
        ('deleteheader :index 1 :contains "X-Hello" "t"', "one two three"),
        ('deleteheader :index 2 :contains "X-Hello" "t"', "one three"),
        ('deleteheader :index 1 :last "X-Hello"', "one two"),
        ('deleteheader :last :index 3 "X-Hello"', "two three"),
        ('deleteheader :index 4 "X-Hello"', "one two three"),
        ('deleteheader :index 4 :last "X-Hello"', "one two three"),
        ('deleteheader "X-Other"', "one two three"),
        ('deleteheader "X-Hello" "X-Hello"', "one two three"),
    ],
)
def test_which_fields_are_deleted(command: str, left: str) -> None:
    lines = [line for line in edited(f"{command};") if line.lower().startswith("x-hello")]
    assert [line.split(": ")[1] for line in lines] == left.split()


def test_tests_see_the_header_as_it_is_now() -> None:
    script = (
        'addheader "X-Hello" "World"; if header "X-Hello" "World" { fileinto "international"; }'
    )
    assert actions_of(REQUIRE + script) == (FileInto("international"),)


def test_an_edit_keeps_the_implicit_keep_and_cancels_none() -> None:
    assert actions_of(REQUIRE + 'addheader "X-A" "b";') == (Keep(implicit=True),)
    assert actions_of(REQUIRE + 'keep; addheader "X-A" "b"; keep;') == (Keep(),)


def test_what_was_sent_on_before_an_edit_is_as_it_was() -> None:
    """§7: actions take the header of their time."""
    script = 'redirect "a@example.com"; addheader "X-A" "b"; fileinto "x";'
    result = result_of(REQUIRE + script)
    contents = {type(a): result.message_of(i).content for i, a in enumerate(result.actions)}
    assert contents == {Redirect: MESSAGE, FileInto: b"X-A: b\r\n" + MESSAGE}


@pytest.mark.parametrize("name", ["Received", "auto-submitted", "Original-From"])
def test_some_fields_stay_without_a_word(name: str) -> None:
    message = header(f"{name}: x", "Subject: s")
    assert edited(f'deleteheader "{name}";', message) == [f"{name}: x", "Subject: s"]


def test_the_subject_is_replaced() -> None:
    script = 'if header :matches "Subject" "*" { deleteheader "Subject"; addheader "Subject" "[x] ${1}"; }'
    assert edited(script) == ["Subject: [x] s", "X-Hello: one", "X-Hello: two", "x-hello: three"]


def test_a_failed_script_leaves_the_header_alone() -> None:
    script = REQUIRE + 'set "n" "a b"; addheader "X-A" "b"; addheader "${n}" "c";'
    result = result_of(script)
    assert result.error is not None
    assert result.message.content == MESSAGE


@pytest.mark.parametrize(
    "value",
    [
        "Grüße",
        "a Grüße aus Köln b",
        "ü  ü",
        "x" * 3000,
        "é" * 2000,
        "word " * 300 + "end",
        "",
        "日本 <a@b.example>",
    ],
)
def test_values_are_folded_and_encoded_so_that_they_read_the_same(value: str) -> None:
    result = result_of(REQUIRE + f'addheader "X-Long" "{value}";')
    assert result.error is None, result.error
    again = Message(result.message.content)
    assert again.fields("X-Long")[0].text == value
    assert result.message.content.isascii()
    assert max(map(len, result.message.content.split(b"\r\n"))) <= 998


def test_a_value_brings_no_field_of_its_own() -> None:
    result = result_of(REQUIRE + 'addheader "X-A" text:\na\nBcc: b@example.com\n\nbody\n.\n;')
    again = Message(result.message.content)
    assert again.fields("X-A")[0].text == "a Bcc: b@example.com body"
    assert again.fields("Bcc") == ()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ('addheader "a b" "c"', "'a b' is no name of a header field"),
        ('addheader "" "c"', "'' is no name of a header field"),
        ('deleteheader "ü"', "'ü' is no name of a header field"),
        ('deleteheader :last "a"', ":last stands with :index only"),
        ('deleteheader :index 0 "a"', ":index counts from 1"),
        ('deleteheader ["a"]', "here should be a string"),
        ("deleteheader", "'deleteheader' takes 1 to 2 arguments, not 0"),
        ('deleteheader "a" "b" "c"', "'deleteheader' takes 1 to 2 arguments, not 3"),
        (
            f'addheader "a" "{"x" * 9000}"',
            "the value of a header field has 8192 characters at most",
        ),
        ('addheader "a" "b\x01"', "the value of a header field has no control characters"),
    ],
)
def test_errors_of_use(command: str, message: str) -> None:
    assert [error[2] for error in errors_of(f"{REQUIRE}{command};")] == [message]


def test_edits_have_a_bound() -> None:
    result = result_of(REQUIRE + 'addheader "X-A" "b";' * (EDITS_MAXIMUM + 1))
    assert result.error is not None
    assert "times at most" in result.error.message
