"""A reader of IMAP response data and of the grammar of ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051 §9).

Written for the tests from the RFC alone, so that it can contradict the code that writes them.
"""

import re
from typing import Any

Item = Any  # list | bytes | int | None

_TOKEN = re.compile(
    rb"(?P<open>\()|(?P<close>\))|(?P<space> )|(?P<nil>NIL)(?=[ )]|\Z)|(?P<number>\d+)(?=[ )]|\Z)"
    rb'|"(?P<quoted>(?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"|\{(?P<literal>\d+)\}\r\n'
)


def read(data: bytes) -> Item:
    """One value; AssertionError unless the data is exactly that."""
    stack: list[list[Item]] = [[]]
    position = 0
    before = "open"
    while position < len(data):
        token = _TOKEN.match(data, position)
        assert token, data[position : position + 60]
        position = token.end()
        kind = token.lastgroup
        match kind:
            case "open":
                # body-type-mpart and env-from have no space between their lists
                assert before in ("open", "close", "space")
                stack.append([])
            case "close":
                assert before != "space"
                closed = stack.pop()
                assert closed, "an empty list"
                stack[-1].append(closed)
            case "space":
                assert before not in ("open", "space")
            case _:
                assert before in ("open", "space"), (before, data[position - 30 : position + 10])
                if kind == "nil":
                    stack[-1].append(None)
                elif kind == "number":
                    stack[-1].append(int(token["number"]))
                elif kind == "quoted":
                    stack[-1].append(re.sub(rb"\\(.)", rb"\1", token["quoted"]))
                else:
                    text = data[position : position + int(token["literal"])]
                    assert len(text) == int(token["literal"])
                    assert b"\0" not in text
                    position += len(text)
                    stack[-1].append(text)
        before = "close" if kind == "close" else kind or ""
    assert len(stack) == 1
    assert len(stack[0]) == 1
    return stack[0][0]


def check_envelope(envelope: Item) -> None:
    assert isinstance(envelope, list)
    assert len(envelope) == 10
    date, subject, *lists, in_reply_to, message_id = envelope
    for text in (date, subject, in_reply_to, message_id):
        check_nstring(text)
    assert len(lists) == 6
    for addresses in lists:
        if addresses is None:
            continue
        assert isinstance(addresses, list)
        assert addresses
        in_group = False
        for address in addresses:
            assert isinstance(address, list)
            assert len(address) == 4
            for text in address:
                check_nstring(text)
            name, route, mailbox, host = address
            if host is None:
                assert name is None
                assert route is None
                assert in_group == (mailbox is None)
                in_group = not in_group
            else:
                assert mailbox is not None
        assert not in_group


def check_body(body: Item, extended: bool) -> None:
    """The grammar of `body`; with its extension data or without."""
    assert isinstance(body, list)
    if isinstance(body[0], list):
        parts = [item for item in body if isinstance(item, list)]
        count = 0
        while count < len(body) and isinstance(body[count], list):
            check_body(body[count], extended)
            count += 1
        assert parts
        subtype, *rest = body[count:]
        check_string(subtype)
        if extended:
            parameters, disposition, language, location = rest
            check_parameters(parameters)
            check_shared(disposition, language, location)
        else:
            assert rest == []
        return
    kind, subtype, parameters, content_id, description, encoding, octets, *rest = body
    for text in (kind, subtype, encoding):
        check_string(text)
    check_parameters(parameters)
    check_nstring(content_id)
    check_nstring(description)
    assert isinstance(octets, int)
    if kind == b"message" and subtype in (b"rfc822", b"global"):
        envelope, inner, lines, *rest = rest
        check_envelope(envelope)
        check_body(inner, extended)
        assert isinstance(lines, int)
    elif kind == b"text":
        lines, *rest = rest
        assert isinstance(lines, int)
    if extended:
        md5, disposition, language, location = rest
        check_nstring(md5)
        check_shared(disposition, language, location)
    else:
        assert rest == []


def check_shared(disposition: Item, language: Item, location: Item) -> None:
    if disposition is not None:
        kind, parameters = disposition
        check_string(kind)
        check_parameters(parameters)
    if isinstance(language, list):
        for text in language:
            check_string(text)
    else:
        check_nstring(language)
    check_nstring(location)


def check_parameters(parameters: Item) -> None:
    if parameters is None:
        return
    assert isinstance(parameters, list)
    assert parameters
    assert len(parameters) % 2 == 0
    for text in parameters:
        check_string(text)


def check_string(text: Item) -> None:
    assert isinstance(text, bytes)


def check_nstring(text: Item) -> None:
    assert text is None or isinstance(text, bytes)
