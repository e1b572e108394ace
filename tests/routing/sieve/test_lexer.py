"""Tokens of RFC 5228 §2.1-§2.4 and §8.1."""

import pytest

from routing.sieve.errors import InvalidScript
from routing.sieve.lexer import Kind, Source, tokens
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM, TOKENS_MAXIMUM


def values(text: str) -> list[object]:
    found = list(tokens(text))
    assert found[-1].kind == Kind.END
    return [token.value for token in found[:-1]]


def bad(text: str) -> tuple[int, object]:
    [token] = [token for token in tokens(text) if token.kind == Kind.BAD]
    return token.at, token.value


def test_each_kind_has_its_place() -> None:
    text = 'if :IS 10K "a" [;'
    assert [(token.kind, token.at, token.value) for token in tokens(text)] == [
        (Kind.IDENTIFIER, 0, "if"),
        (Kind.TAG, 3, "is"),
        (Kind.NUMBER, 7, 10240),
        (Kind.STRING, 11, "a"),
        (Kind.MARK, 15, "["),
        (Kind.MARK, 16, ";"),
        (Kind.END, 17, ""),
    ]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('""', ""),
        (r'"a\"b\\c"', r'a"b\c'),
        (r'"\a\\\b"', r"a\b"),
        (r'"\\\\\""', r"\\" + '"'),
        ('"a # no comment /* here */"', "a # no comment /* here */"),
        ('"one\ntwo\r\nthree"', "one\r\ntwo\r\nthree"),
        ('"\\\n"', "\r\n"),
        ('"a\rb"', "a\rb"),
        ('"Füße"', "Füße"),
        ("text:\n.\n", ""),
        ("text:\nline\n.\n", "line\r\n"),
        ("text:\r\nline\r\n.\r\n", "line\r\n"),
        ("TEXT: \t # why not\nline\n.\n", "line\r\n"),
        ("text:\n..\n..dot\n.a\n.\n", ".\r\n.dot\r\n.a\r\n"),
        ("text:\nline\n.", "line\r\n"),
        ('text:\n"\\\n.\n', '"\\\r\n'),
    ],
)
def test_strings(text: str, content: str) -> None:
    assert values(text) == [content]


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("1k", 1024), ("2M", 2 << 20), ("3g", 3 << 30), ("9" * 18, 10**18 - 1)],
)
def test_numbers(text: str, number: int) -> None:
    assert values(text) == [number]


def test_comments_are_white_space() -> None:
    assert values("a# b\nc/* d\n* /**/e/***/f#") == ["a", "c", "e", "f"]


def test_a_comment_does_not_nest() -> None:
    assert values("/* /* */ a") == ["a"]


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ('keep "a', 5, "this string has no end"),
        ('"a\\"', 0, "this string has no end"),
        ("keep /* a *", 5, "this comment has no end"),
        ("/*/", 0, "this comment has no end"),
        ("text:\na\n..\n", 0, "this text has no end"),
        ("text:", 4, "':' has no place here"),
        ("a $ b", 2, "'$' has no place here"),
        ("12abc", 0, "'12abc' has no place here"),
        ("10kk", 0, "'10kk' has no place here"),
        (":10", 0, "':' has no place here"),
        ("9" * 30, 0, "this number is too large"),
        ("9223372036854775808", 0, "this number is too large"),
        ("0" * 30 + "8589934592g", 0, "this number is too large"),
        ("a" * 129, 0, "this name is too long"),
    ],
)
def test_what_is_no_token(text: str, at: int, message: str) -> None:
    assert bad(text) == (at, message)


def test_a_script_has_a_bounded_number_of_tokens() -> None:
    *some, last = tokens(";" * (TOKENS_MAXIMUM + 1))
    assert len(some) == TOKENS_MAXIMUM
    assert last.kind == Kind.BAD


@pytest.mark.parametrize(
    ("script", "line", "column", "message"),
    [
        (b"keep;\nk\xffeep;", 2, 2, "this is not UTF-8"),
        (b"\xc3\xbc\0", 1, 2, "a script holds no NUL"),
        (b" " * (SCRIPT_SIZE_MAXIMUM + 1), 1, 1, "the script has more than 1048576 octets"),
    ],
)
def test_what_is_no_text(script: bytes, line: int, column: int, message: str) -> None:
    with pytest.raises(InvalidScript) as caught:
        Source(script)
    [error] = caught.value.errors
    assert (error.line, error.column, error.message) == (line, column, message)


def test_a_column_counts_characters() -> None:
    source = Source("# ü\n  ß!\n".encode())
    error = source.error(source.text.index("!"), "there")
    assert str(error) == "line 2, column 4: there"
