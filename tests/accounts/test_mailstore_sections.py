"""IMAP's part numbers, on the messages below tests/messages."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.mailstore.header_fields import fields, header_end, spans_of_fields
from accounts.mailstore.sections import find_part, select_fields
from accounts.mailstore.structure import render

MESSAGES = Path(__file__).parent.parent / "messages"

# (message, path, how the part's own header begins, its content)
PARTS = [
    ("simple", (1,), b"Return-Path: ", b"One line.\r\nAnother line.\r\n"),
    ("nested", (1,), b"Content-Type: text/x-myown", b"hello\r\n"),
    ("nested", (2, 1), b"Content-Type: text/html", b"<p>Hello world</p>\r\n"),
    ("nested", (2, 2), b"Content-Type: text/plain", b"Hello another world\r\n"),
    ("digest", (1, 1), b"From: one@", b"First text"),
    ("digest", (2,), b"Content-Type: text/plain", b"A part that is no message"),
    ("message-at-top", (1, 1), b"\r\n", b"one"),
    ("message-at-top", (1, 2), b"\r\n", b"two"),
    ("truncated", (1, 1), b"Content-Type: text/plain", b"the text of the inner part"),
    ("truncated", (2,), b"Content-Type: application", b"AAEC"),
    ("headerless-parts", (1,), b"", b"No empty line, no field: this is text.\r\n\r\nMore of it."),
    ("headerless-parts", (3,), b"Content-Type: text/html", b""),
]


@pytest.mark.parametrize(("name", "path", "header", "body"), PARTS)
def test_part(name: str, path: tuple[int, ...], header: bytes, body: bytes) -> None:
    content = (MESSAGES / f"{name}.eml").read_bytes()
    span = find_part(render(content).parts, path)
    assert span is not None
    assert content[span.header_start : span.body_start].startswith(header)
    assert content[span.body_start : span.end] == body


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("simple", (2,)),
        ("simple", (1, 1)),
        ("simple", (0,)),
        ("nested", (3,)),
        ("nested", (1, 1)),
        ("nested", (2, 3)),
        ("digest", (1, 2)),
        ("message-at-top", (2,)),
    ],
)
def test_no_such_part(name: str, path: tuple[int, ...]) -> None:
    assert find_part(render((MESSAGES / f"{name}.eml").read_bytes()).parts, path) is None


def test_whole_message() -> None:
    content = (MESSAGES / "nested.eml").read_bytes()
    span = find_part(render(content).parts, ())
    assert span is not None
    assert span.message is not None
    assert span.is_root
    assert content[: span.message.body_start].endswith(b'bar"\r\n\r\n')
    assert content[span.message.body_start :].startswith(b"Root MIME prologue")


def test_header_and_text_of_an_attached_message() -> None:
    content = (MESSAGES / "nested.eml").read_bytes()
    span = find_part(render(content).parts, (2,))
    assert span is not None
    assert span.message is not None
    inner = span.message
    assert content[span.header_start : span.body_start] == b"Content-Type: message/rfc822\r\n\r\n"
    assert content[inner.header_start : inner.body_start].startswith(b"From: sub@")
    assert content[inner.body_start : inner.end].startswith(b"Sub MIME prologue\r\n")
    assert content[inner.body_start : inner.end].endswith(b"Sub MIME epilogue\r\n")


def test_only_the_message_itself_is_the_root() -> None:
    simple, nested = (
        render((MESSAGES / f"{name}.eml").read_bytes()).parts for name in ("simple", "nested")
    )
    first, second = find_part(simple, (1,)), find_part(nested, (1,))
    assert first is not None
    assert second is not None
    assert (first.is_root, second.is_root) == (True, False)


HEADER = b"Subject: a\r\n folded\r\nFrom: b\r\nsubject: c\r\nX-Odd : d\r\n\r\n"


@pytest.mark.parametrize(
    ("names", "invert", "expected"),
    [
        ([b"SUBJECT"], False, b"Subject: a\r\n folded\r\nsubject: c\r\n\r\n"),
        ([b"subject", b"x-odd"], True, b"From: b\r\n\r\n"),
        ([b"none"], False, b"\r\n"),
        ([], True, HEADER),
    ],
)
def test_chosen_fields(names: list[bytes], invert: bool, expected: bytes) -> None:
    assert select_fields(HEADER, names, invert) == expected


@pytest.mark.parametrize(
    ("content", "end"),
    [
        (b"", 0),
        (b"a: b\r\n\r\nc", 8),
        (b"a: b\n\nc", 6),
        (b"a: b\n\r\nc", 7),
        (b"a: b\r\n\nc\r\n\r\n", 7),
        (b"\r\nbody", 2),
        (b"\nbody", 1),
        (b"a: b\r\n c\r\n", 10),
        (b"a: b\r\nbody", 6),
        (b"body", 0),
        (b"a: b", 4),
    ],
)
def test_end_of_the_header(content: bytes, end: int) -> None:
    assert header_end(content) == end


def test_fields_with_their_offsets() -> None:
    found = list(fields(HEADER + b"Body: no field\r\n"))
    assert [(field.name, field.value) for field in found] == [
        (b"subject", b" a\r\n folded"),
        (b"from", b" b"),
        (b"subject", b" c"),
        (b"x-odd", b" d"),
    ]
    assert b"".join(HEADER[field.start : field.end] for field in found) == HEADER[:-2]


def test_a_line_that_is_no_field_belongs_to_the_one_before() -> None:
    assert [field.value for field in fields(b"From x\r\nA: 1\r\njunk\r\nB: 2\r\n\r\n")] == [
        b" 1\r\njunk",
        b" 2",
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                b"From: a\r\n",
                b"To : b\r\n",
                b" fold\r\n",
                b"none\r\n",
                b"\n",
                b"\r\n",
                b"x:y",
                b"to:\r",
            ]
        ),
        max_size=8,
    ).map(b"".join),
    st.booleans(),
)
def test_chosen_fields_are_those_of_the_slower_way(header: bytes, invert: bool) -> None:
    names = {b"from", b"to"}
    expected = [
        (f.start, f.end) for f in fields(header, 0, len(header)) if (f.name in names) != invert
    ]
    assert spans_of_fields(header, 0, len(header), names, invert=invert) == expected
