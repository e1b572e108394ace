"""Real messages, against the standard library's parser, which has read mail for twenty years."""

import email
import zipfile
from collections.abc import Iterator
from email.errors import CloseBoundaryNotFoundDefect
from email.message import Message
from email.policy import compat32
from pathlib import Path

import pytest

from accounts.mailstore.sections import find_part
from accounts.mailstore.structure import render
from tests.accounts.imap_syntax import Item, check_body, check_envelope, read

TESTS = Path(__file__).parent.parent
# The whole corpus lies beside the project in development; a few dozen of its messages are always here.
WHOLE = TESTS.parent.parent / "shared" / "corpus" / "sample.zip"
OWN = TESTS / "messages" / "corpus.zip"


def messages() -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(WHOLE if WHOLE.exists() else OWN) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".eml"):
                yield name, archive.read(name).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


CORPUS = dict(messages())


def test_own_copy_is_not_empty() -> None:
    with zipfile.ZipFile(OWN) as archive:
        assert len(archive.namelist()) >= 40


@pytest.mark.parametrize("name", CORPUS)
def test_structure_is_what_the_standard_library_sees(name: str) -> None:
    content = CORPUS[name]
    structure = render(content)
    check_envelope(read(structure.envelope))
    check_body(read(structure.body), extended=False)
    body = read(structure.body_structure)
    check_body(body, extended=True)
    parsed = email.message_from_bytes(content, policy=compat32)
    if is_well_formed(parsed):
        assert shape_of(body) == shape_of_message(parsed)
        if not any(part.defects for part in parsed.walk()):
            # The standard library drops the last line break of a multipart that is never closed.
            compare_bodies(structure.parts, (), parsed, content)
    envelope = read(structure.envelope)
    message_id = parsed["Message-ID"]
    assert (envelope[9] or b"").decode("latin-1") == unfolded(message_id)
    if structure.sent_at is not None:
        expected = email.utils.parsedate_to_datetime(parsed["Date"])
        if expected.tzinfo is not None:
            assert structure.sent_at == expected


def unfolded(value: object) -> str:
    return " ".join(str(value or "").split())


def is_well_formed(message: Message) -> bool:
    return all(
        all(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in part.defects)
        and " " not in part.get_content_type()
        and (not part.is_multipart() or part.get_payload())
        for part in message.walk()
    )


def test_most_of_the_corpus_is_compared() -> None:
    compared = sum(is_well_formed(email.message_from_bytes(content)) for content in CORPUS.values())
    assert compared > 0.9 * len(CORPUS)


def shape_of(body: Item) -> Item:
    """Types, and what is within."""
    if isinstance(body[0], list):
        parts = [shape_of(part) for part in body if isinstance(part, list) and is_body(part)]
        return (subtype_of(body), parts)
    if body[0] == b"message" and body[1] == b"rfc822":
        return ("message/rfc822", [shape_of(body[8])])
    return (f"{body[0].decode()}/{body[1].decode()}", [])


def is_body(part: Item) -> bool:
    return isinstance(part[0], list) or (len(part) >= 7 and isinstance(part[6], int))


def subtype_of(body: Item) -> str:
    return "multipart/" + next(item for item in body if isinstance(item, bytes)).decode()


def shape_of_message(message: Message) -> Item:
    children = message.get_payload() if message.is_multipart() else []
    assert isinstance(children, list)
    return (message.get_content_type(), [shape_of_message(child) for child in children])


def compare_bodies(parts: bytes, path: tuple[int, ...], message: Message, content: bytes) -> None:
    """The bytes of each leaf."""
    if message.get_content_maintype() == "multipart":
        children = message.get_payload()
        assert isinstance(children, list)
        for number, child in enumerate(children, 1):
            compare_part(parts, (*path, number), child, content)
    else:
        compare_part(parts, (*path, 1), message, content)


def compare_part(parts: bytes, path: tuple[int, ...], message: Message, content: bytes) -> None:
    if message.get_content_maintype() == "multipart":
        compare_bodies(parts, path, message, content)
        return
    span = find_part(parts, path)
    assert span is not None
    if message.is_multipart():
        inner = message.get_payload(0)
        assert isinstance(inner, Message)
        compare_bodies(parts, path, inner, content)
        return
    payload = message._payload  # get_payload() replaces eight-bit characters
    assert isinstance(payload, str)
    expected = payload.encode("ascii", "surrogateescape")
    assert normal(content[span.body_start : span.end]) == normal(expected)


def normal(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n")
