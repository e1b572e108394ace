"""Odd headers, addresses, envelopes and patterns: each has an answer, none an error (RFC 5228 §2.4.2.2, §2.7, §5.1, §5.4)."""

import pytest

from routing.sieve.actions import Reject
from routing.sieve.host import ScriptEnvelope
from tests.routing.sieve.scripts import actions_of, is_true, result_of


def field(name: str, value: bytes) -> bytes:
    return name.encode() + b":" + value + b"\r\nTo: me@example.org\r\n\r\n"


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        (r"a\\*b", b"a*b", True),
        (r"a\\*b", b"axb", False),
        (r"a\\\\*", b"a\\zz", True),
        (r"\\?", b"?", True),
        (r"\\?", b"a", False),
        (r"\\", b"\\", True),
        ("??", "ü€".encode(), True),  # a character, not an octet
        ("?", "😀".encode(), True),
        ("?*?", b"ab", True),
        ("?*?", b"a", False),
        ("", b"", True),
        ("*", b"", True),
        ("?", b"", False),
        ("*a*a*a*a*a*a*a*a*b", b"a" * 5000, False),
        ("*\r\n*", b"a\r\n b", False),
    ],
)
def test_patterns(pattern: str, value: bytes, fits: bool) -> None:
    assert is_true(f'header :matches "subject" "{pattern}"', field("Subject", value)) is fits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?q?a?=\r\n =?utf-8?q?_b?=", "a b"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        (b"=?UTF-8*en?Q?a?=", "a"),
        (b"=?x-unknown?q?a=C3=BC?=", "aü"),
        (b"=?utf-8?q?a=FFb?=", "a�b"),
        (b"=?us-ascii?q?=e9?=", "é"),
        (b"=?utf-8?q?a=00b=0d=0ac?=", "a b  c"),
        (b"=?utf-7?q?a+2AA-b?=", "a�b"),
        (b"=?utf-8?b?w7?=", "�"),
        (b"\xe4\xf6", "äö"),
        (b"=?idna?q?xn--a?=", "xn--a"),
    ],
)
def test_headers(value: bytes, text: str) -> None:
    message = field("Subject", value)
    assert is_true(f'header :is :comparator "i;octet" "subject" "{text}"', message)


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        (b'"x@y" <a@b.example>', ["a@b.example"]),
        (b"grp: a@b.example, c@d.example;", ["a@b.example", "c@d.example"]),
        (b"a (comment) @ (x) c.example (y)", ["a@c.example"]),
        (b"<@x,@y:a@c.example>", ["a@c.example"]),
        (b"<a@[127.0.0.1]>", ["a@[127.0.0.1]"]),
        (b"root", ["root"]),
        (b"=?utf-8?q?x=40y.example?= <a@b.example>", ["a@b.example"]),
        (b"a@b.example;c@d.example", ["a@b.example", "c@d.example"]),
        (b"a@b.example <c@d.example>", ["c@d.example"]),
        (b"<a@b.example", ["a@b.example"]),
        (b"a\xff@b.example", ["a�@b.example"]),
        ("ü@bücher.example".encode(), ["ü@bücher.example"]),
        (b"<>", []),
        (b"undisclosed-recipients:;", []),
        (b"", []),
        (b"(((((", []),
    ],
)
def test_addresses(value: bytes, addresses: list[str]) -> None:
    message = field("From", value)
    for address in addresses:
        assert is_true(f'address :is "from" "{address}"', message)
    counted = f'address :count "eq" "from" "{len(addresses)}"'
    assert is_true(counted, message, require=("relational",))
    assert not is_true('address :is "from" ["x@y", "grp", "x@y.example"]', message)


@pytest.mark.parametrize(
    ("sender", "whole", "local_part", "domain"),
    [
        ("", "", "", ""),
        ("@x:a@b.example", "a@b.example", "a", "b.example"),
        ('"a b"@c.example', "a b@c.example", "a b", "c.example"),
        ("ü@ü.example", "ü@ü.example", "ü", "ü.example"),
        ("\udcff@c.example", "*@c.example", "*", "c.example"),
        ("root", "root", "root", ""),
    ],
)
def test_envelopes(sender: str, whole: str, local_part: str, domain: str) -> None:
    envelope = ScriptEnvelope(sender, "me@example.org")
    for part, value in (("all", whole), ("localpart", local_part), ("domain", domain)):
        test = f'envelope :{part} :matches "from" "{value}"'
        assert is_true(test, require=("envelope",), envelope=envelope)
    assert is_true('envelope "from" ""', require=("envelope",), envelope=envelope) is (not sender)


@pytest.mark.parametrize("name", ["subject", "from"])
@pytest.mark.parametrize(
    "value", [b"\xff@a.example", b"=?utf-7?q?+2AA-?=@a.example", b"\xed\xa0\x80@a.example"]
)
def test_what_a_script_takes_from_a_message_can_be_written_again(name: str, value: bytes) -> None:
    test = "header" if name == "subject" else "address"
    script = f'''require ["variables", "reject"];
    if {test} :matches "{name}" "*" {{ reject "${{1}}"; }}'''
    [action] = actions_of(script, field(name, value))
    assert isinstance(action, Reject)
    assert action.reason.encode().decode() == action.reason
    failing = script.replace('"reject"]', '"ihave"]').replace("reject", "error")
    assert str(result_of(failing, field(name, value)).error).encode()
