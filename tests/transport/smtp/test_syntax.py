"""The grammar of MAIL, RCPT and BDAT, as tables and properties."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.addresses import Address
from transport.smtp.syntax import (
    CommandError,
    MailCommand,
    format_address,
    parse_bdat,
    parse_mail,
    parse_path,
    parse_rcpt,
)

ALL = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "NOTIFY", "ORCPT"})


@pytest.mark.parametrize(
    ("argument", "local_part", "domain"),
    [
        (b"FROM:<a@b.example>", "a", "b.example"),
        (b"from:<a@b.example>", "a", "b.example"),
        (b"FROM: <a@b.example>", "a", "b.example"),
        (b"FROM:<@x.example,@y.example:a@b.example>", "a", "b.example"),
        (b'FROM:<"a b"@b.example>', "a b", "b.example"),
        (b'FROM:<"a\\"b>"@b.example>', 'a"b>', "b.example"),
        (b'FROM:<"plain"@b.example>', "plain", "b.example"),
        (b"FROM:<A.b+c@B.Example>", "A.b+c", "b.example"),
        (b"FROM:<a@[192.0.2.1]>", "a", "[192.0.2.1]"),
        (b"FROM:<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]"),
        (b"FROM:<a@localhost>", "a", "localhost"),
        ("FROM:<jörg@bücher.example> SMTPUTF8".encode(), "jörg", "xn--bcher-kva.example"),
        ("FROM:<jo\u0308rg@b.example> SMTPUTF8".encode(), "jörg", "b.example"),
    ],
)
def test_reverse_paths(argument: bytes, local_part: str, domain: str) -> None:
    assert parse_mail(argument, extensions=ALL).reverse_path == Address(local_part, domain)


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"FROM",
        b"FROM:",
        b"FROM:a@b.example",
        b"FROM:<a@b.example",
        b"FROM:<a@b.example>x",
        b"FROM:<a>",
        b"FROM:<@b.example>",
        b"FROM:<a@>",
        b"FROM:<a@b@c.example>",
        b"FROM:<a..b@c.example>",
        b"FROM:<.a@c.example>",
        b"FROM:<a b@c.example>",
        b"FROM:<a@b c.example>",
        b"FROM:<a@b.example.>",
        b"FROM:<a@-b.example>",
        b'FROM:<""@b.example>',
        b'FROM:<"a"b@c.example>',
        b"FROM:<a@[192.0.2.256]>",
        b"FROM:<a@[IPv6:zz]>",
        b"FROM:<a@[192.0.2.1>",
        b"FROM:<a\x00@b.example>",
        b"FROM:<" + b"a" * 65 + b"@b.example>",
        b"FROM:<a@" + b"b" * 64 + b".example>",
        b"FROM:<a@b.example> SIZE",
        b"FROM:<a@b.example> SIZE=x",
        b"FROM:<a@b.example> SIZE=1 SIZE=2",
        b"FROM:<a@b.example> BODY=9BIT",
        b"FROM:<a@b.example> SMTPUTF8=1",
        b"FROM:<a@b.example> RET=SOME",
        b"FROM:<a@b.example> ENVID=a+2",
        b"FROM:<a@b.example> ENVID=" + b"a" * 101,
        b"FROM:<a@b.example> =x",
        b"FROM:<\xff@b.example> SMTPUTF8",
        b"TO:<a@b.example>",
    ],
)
def test_malformed_mail_is_501(argument: bytes) -> None:
    with pytest.raises(CommandError, match=r"^501 5\."):
        parse_mail(argument, extensions=ALL)


def test_an_unknown_parameter_is_555() -> None:
    with pytest.raises(CommandError, match=r"^555 5\.5\.4"):
        parse_mail(b"FROM:<a@b.example> FROBNICATE=1", extensions=ALL)
    with pytest.raises(CommandError, match=r"^555 5\.5\.4"):
        parse_mail(b"FROM:<a@b.example> RET=FULL", extensions=frozenset({"SIZE"}))


def test_a_non_ascii_address_needs_smtputf8() -> None:
    with pytest.raises(CommandError, match=r"^553 5\.6\.7"):
        parse_mail("FROM:<jörg@b.example>".encode(), extensions=ALL)


def test_mail_parameters_keep_their_case() -> None:
    mail = parse_mail(
        b"FROM:<> size=12 body=8bitmime RET=hdrs ENVID=aB+2Bc smtputf8", extensions=ALL
    )
    assert mail == MailCommand(None, 12, "8BITMIME", True, "HDRS", "aB+2Bc")


def test_rcpt_parameters() -> None:
    command = parse_rcpt(
        b"TO:<b@c.example> NOTIFY=success,Delay ORCPT=rfc822;B+2Bx@c.example",
        smtputf8=False,
        extensions=ALL,
    )
    assert (command.notify, command.orcpt) == ("SUCCESS,DELAY", "rfc822;B+2Bx@c.example")


@pytest.mark.parametrize(
    "parameters",
    [
        b"NOTIFY=NEVER,SUCCESS",
        b"NOTIFY=SUCCESS,SUCCESS",
        b"NOTIFY=SOMETIMES",
        b"ORCPT=a@b.example",
        b"ORCPT=rfc822;a=b",
        b"NOTIFY",
    ],
)
def test_malformed_rcpt_parameters(parameters: bytes) -> None:
    with pytest.raises(CommandError, match=r"^501 5\.5\.4"):
        parse_rcpt(b"TO:<b@c.example> " + parameters, smtputf8=False, extensions=ALL)


def test_the_bare_postmaster() -> None:
    assert parse_rcpt(b"TO:<PostMaster>", smtputf8=False, extensions=ALL).forward_path is None


def test_rcpt_to_nobody_is_refused() -> None:
    with pytest.raises(CommandError, match=r"^501"):
        parse_rcpt(b"TO:<>", smtputf8=False, extensions=ALL)


@pytest.mark.parametrize("argument", [b"", b"x", b"-1", b"1 2", b"1 LAST x", b"9" * 13])
def test_malformed_bdat(argument: bytes) -> None:
    with pytest.raises(CommandError, match=r"^501"):
        parse_bdat(argument)


def test_bdat() -> None:
    assert parse_bdat(b"12").size == 12
    assert parse_bdat(b"0 last").is_last


LOCAL_PARTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64
) | st.from_regex(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True)


@given(LOCAL_PARTS)
def test_what_is_formatted_parses_back(local_part: str) -> None:
    address = Address(local_part, "b.example")
    assert parse_path(format_address(address)) == address
    mail = parse_mail(f"FROM:<{format_address(address)}>".encode(), extensions=ALL)
    assert mail.reverse_path == address


def refusal(parse: Callable[[], object]) -> str:
    """The reply to what does not parse, or a 5 for what does."""
    try:
        parse()
    except CommandError as error:
        return str(error)
    return "5"


@given(st.binary(max_size=200))
def test_no_input_raises_anything_else(argument: bytes) -> None:
    for prefix in (b"", b"FROM:<", b"FROM:<a@b.example> "):
        mail = partial(parse_mail, prefix + argument, extensions=ALL)
        assert refusal(mail).startswith("5")
    for prefix in (b"TO:<", b"TO:<a@b.example> "):
        rcpt = partial(parse_rcpt, prefix + argument, smtputf8=True, extensions=ALL)
        assert refusal(rcpt).startswith("5")
