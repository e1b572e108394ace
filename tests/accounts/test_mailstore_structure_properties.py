"""Whatever the bytes: nothing raises, what is written can be read, and every part lies within the one above."""

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.mailstore.header_addresses import parse_addresses
from accounts.mailstore.headers import decode_words, fields, header_end
from accounts.mailstore.search_texts import fold
from accounts.mailstore.sections import PartSpan, find_part, select_fields
from accounts.mailstore.structure import Structure, render
from tests.accounts.imap_syntax import Item, check_body, check_envelope, read

PIECES = [
    b"\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"--", b"--b\r\n", b"--b--\r\n", b"--c\r\n",
    b"From: ", b"To: ", b"Sender: ", b"Reply-To: ", b"Subject: ", b"Date: ", b"Message-ID: ", b"References: ",
    b"Content-Type: ", b"multipart/mixed", b"multipart/digest", b"message/rfc822", b"message/global",
    b"text/plain", b"text/html", b"; boundary=b", b'; boundary="c"', b"; boundary*0=", b"; charset=", b"utf-8",
    b"utf-7", b"idna", b"rot13", b"hz", b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable",
    b"Content-Disposition: ", b"attachment", b"; filename*=", b"utf-8''%C3%BC", b"Content-Language: ", b"en, de",
    b"Content-MD5: ", b"Content-ID: ", b"Content-Location: ", b"a@b", b"<a@b>", b"<", b">", b"(", b")", b'"',
    b"\\", b",", b";", b":", b"@", b"[", b"]", b"=?utf-8?q?=C3=BC?=", b"=?utf-8?b?w7w=?=", b"=?", b"?=", b"re:",
    b"[fwd:", b"(fwd)", b"\xfc", "ü".encode(), b"<p>", b"<!--", b"-->", b"<style>", b"&amp;", b"&#0;", b"&#xd800;",
    b"Mon, 1 Jan 2024 10:00:00 +0100", b"31 Feb 0000 99:99 +9999", b"1 Jan 1 0:00 +2359", b"=00", b"AA==", b"+2AA-",
]  # fmt: skip

messages = st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(messages)
def test_any_bytes_give_a_sound_structure(content: bytes) -> None:
    structure = render(content)
    check_envelope(read(structure.envelope))
    check_body(read(structure.body), extended=False)
    body = read(structure.body_structure)
    check_body(body, extended=True)
    check_texts(structure)
    whole = find_part(structure.parts, ())
    assert whole is not None
    assert whole.message is not None
    assert (whole.header_start, whole.end) == (0, len(content))
    # The message's own part 1 is its body, or the parts of its multipart are 1, 2, ...
    check_parts(structure.parts, (), body, whole, content)


def check_parts(
    parts: bytes, path: tuple[int, ...], body: Item, above: PartSpan, content: bytes
) -> None:
    """Every part that BODYSTRUCTURE names is found, has its size, and lies within what holds it; no other is."""
    if isinstance(body[0], list):
        children = [(number, part) for number, part in enumerate(body, 1) if isinstance(part, list)]
        children = children[
            : next((n for n, part in enumerate(body) if isinstance(part, bytes)), 0)
        ]
    else:
        children = [(1, body)]
    end = above.body_start
    for number, part in children:
        span = find_part(parts, (*path, number))
        assert span is not None
        assert end <= span.header_start or span.header_start == above.header_start
        assert span.header_start <= span.body_start <= span.end <= above.end
        end = span.end
        if isinstance(part[0], list):
            assert span.message is None
            check_parts(parts, (*path, number), part, span, content)
            continue
        assert span.end - span.body_start == part[6]
        if part[0] == b"message" and part[1] in (b"rfc822", b"global"):
            assert span.message is not None
            inner = span.message
            assert (inner.header_start, inner.end) == (span.body_start, span.end)
            within = PartSpan(inner.header_start, inner.body_start, inner.end, None, is_root=False)
            check_parts(parts, (*path, number), part[8], within, content)
        else:
            assert span.message is None
            assert find_part(parts, (*path, number, 1)) is None
    assert find_part(parts, (*path, len(children) + 1)) is None
    assert find_part(parts, (*path, 0)) is None


def check_texts(structure: Structure) -> None:
    texts = [
        structure.subject, structure.sender, structure.recipients, structure.copied, structure.header,
        structure.text, structure.base_subject, structure.sort_from, structure.sort_to, structure.sort_cc,
        structure.message_id, *structure.reference_ids,
    ]  # fmt: skip
    for text in texts:
        assert "\0" not in text
        text.encode()  # no lone surrogate: PostgreSQL takes none


@settings(max_examples=300, deadline=None)
@given(messages)
def test_fields_are_slices_of_the_header(content: bytes) -> None:
    end = header_end(content)
    position = 0
    for field in fields(content):
        assert position <= field.start < field.end <= end
        assert content[field.start : field.end].lower().startswith(field.name)
        assert field.value in content[field.start : field.end]
        position = field.end


@settings(max_examples=300, deadline=None)
@given(messages)
def test_chosen_and_other_fields_make_up_the_header(content: bytes) -> None:
    header = content[: header_end(content)]
    names = [b"from", b"SUBJECT"]
    chosen = list(fields(select_fields(header, names)))
    others = list(fields(select_fields(header, names, invert=True)))
    assert {field.name for field in chosen} <= {b"from", b"subject"}
    assert not {field.name for field in others} & {b"from", b"subject"}
    assert len(chosen) + len(others) == len(list(fields(header, 0, len(header))))


@settings(max_examples=300, deadline=None)
@given(messages)
def test_addresses_and_words_never_raise(content: bytes) -> None:
    for address in parse_addresses(content):
        address.display.encode("utf-8", "surrogateescape")
    decode_words(content)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(), st.text(), st.text())
def test_a_folded_word_is_found_in_the_folded_text(before: str, word: str, after: str) -> None:
    assert fold(word.strip()).casefold() in fold(f"{before} {word.strip()} {after}")
