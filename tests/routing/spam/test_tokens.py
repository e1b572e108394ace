"""What the classifier counts of a message, and what it leaves out."""

import pytest

from routing.spam.tokens import tokens_of
from routing.spam.views import BELOW, HEADER, LAYOUT, LINKS, PAIRS, SUBJECT, WORDS, view_of


def of_text(text: str) -> frozenset[str]:
    return tokens_of(b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode())


def of_html(html: str) -> frozenset[str]:
    return tokens_of(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())


def of_header(*fields: str) -> frozenset[str]:
    return tokens_of("".join(f"{field}\r\n" for field in fields).encode() + b"\r\n")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Free money", {"free", "money", "free money"}),
        ("FREE money", {"free", "^free", "free money"}),
        ("don't e-mail", {"dont", "mail", "dont mail"}),
        ("$1,234,567 in 1999 or 12345678901", {"$0", "000", "0000", "000000"}),
        ("cheap!!! $$$", {"cheap!!!", "$$$"}),
        ("\u6f22\u5b57\u30ab", {"\u6f22", "\u5b57", "\u6f22 \u5b57"}),
        ("\u041f\u0440\u0438\u0432\u0435\u0442", {"\u043f\u0440\u0438\u0432\u0435\u0442"}),
        ("http://www.shop.co.uk/a-path?x", {"url:www.shop.co.uk", "url:shop.co.uk", "path:path"}),
        ("http://bank.example@192.0.2.1:8080/", {"url:/user", "url:/address", "url:/port"}),
        ("text\n-- \nAnn, list@x", {"text", "foot:ann", "foot:list"}),
        ("text\n" + "_" * 47 + "\nlist footer", {"text", "foot:footer"}),
    ],
)
def test_text_is_cut_into_words_pairs_links_and_what_stands_below(
    text: str, tokens: set[str]
) -> None:
    assert tokens <= of_text(text)
    assert not any("footer" in token for token in of_text(text) if ":" not in token)


def test_hidden_text_counts_apart() -> None:
    tokens = of_html(
        '<p>shown</p><DIV Style="color:red;display: none">secret words</DIV><b>after</b>'
    )
    assert {"shown", "after", "shown after", "hidden:secret", "html:hides"} <= tokens
    assert "secret" not in tokens
    assert "html:hides" not in of_html("<p style='display:block'>shown</p>")


def test_a_link_that_shows_another_host_is_seen() -> None:
    disguised = '<a href="http://192.0.2.1/x">https://www.bank.example/</a>'
    assert "url:/disguised" in of_html(disguised)
    assert "url:/disguised" not in of_html('<a href="http://bank.example/x">www.bank.example</a>')


def test_an_attachment_is_told_by_its_name_and_type() -> None:
    tokens = tokens_of(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/zip\r\n"
        b'Content-Disposition: attachment; filename="Invoice 2026.pdf.EXE"\r\n\r\nMZ\r\n--b--\r\n'
    )
    assert {"type:application/zip", "type:/attachment", "file:.exe", "file:invoice"} <= tokens
    assert "layout:parts 2" in tokens


def test_authentication_is_what_the_topmost_field_says() -> None:
    tokens = of_header(
        "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=ann@mail.example.com;\r\n"
        " dkim=fail header.d=bad.example; dmarc=pass header.from=example.com",
        "Authentication-Results: mx.forged.example; dkim=pass header.d=bank.example",
    )
    assert {
        "auth:spf=pass",
        "auth:spf example.com",
        "auth:dkim=fail",
        "auth:dmarc example.com",
    } <= tokens
    assert not any("bank.example" in token or "bad.example" in token for token in tokens)


def test_the_client_is_the_first_that_is_no_host_of_ours() -> None:
    tokens = of_header(
        "Received: from localhost (localhost [127.0.0.1]) by mx.example.org; x",
        "Received: from [192.0.2.7] (ppp-7.dial.example.net [192.0.2.7] (may be forged)) with SMTP; x",
        "Received: from other.example (other.example [198.51.100.1]) by y with ESMTP; x",
    )
    assert {"client:helo address", "client:forged", "client:dialled", "client:.net"} <= tokens
    assert "client:nameless" not in tokens
    assert "received:2" in tokens


def test_what_tells_of_the_gathering_is_left_out() -> None:
    """Whom it reached, its id, list fields and tags, and what delivery itself adds."""
    plain = of_header("From: a@b.example", "Subject: hello there")
    noted = of_header(
        "Return-Path: <x@y.example>",
        "Delivered-To: me@home.example",
        "X-Spam-Flag: YES",
        "List-Id: <l.lists.example>",
        "X-Mailman-Version: 2",
        "From: a@b.example",
        "Subject: [tagged] hello there",
    )
    assert noted == plain
    to = of_header("To: me@home.example")
    assert not any("home" in token for token in to)


@pytest.mark.parametrize(
    ("token", "view"),
    [
        ("no:to", HEADER),
        ("subject:free money", SUBJECT),
        ("free", WORDS),
        ("free money", PAIRS),
        ("url:.com", LINKS),
        ("html:shown 3", LAYOUT),
        ("foot:list", BELOW),
    ],
)
def test_each_token_belongs_to_a_view(token: str, view: int) -> None:
    assert view_of(token) == view
