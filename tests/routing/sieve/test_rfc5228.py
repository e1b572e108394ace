"""The examples of RFC 5228, each with a message that each of its branches takes."""

import pytest

from routing.sieve.actions import Action, Discard, FileInto, Keep, Redirect
from routing.sieve.host import ScriptEnvelope
from tests.routing.sieve.scripts import actions_of, errors_of, header

# §1.2
COYOTE = header(
    "Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)",
    "From: coyote@desert.example.org",
    "To: roadrunner@acme.example.com",
    "Subject: I have a present for you",
)
RICH = header(
    "From: youcouldberich!@reply-by-postal-mail.invalid",
    "To: rube@landru.example.com",
    "Date:  Mon, 31 Mar 1997 18:26:10 -0800",
    "Subject: $$$ YOU, TOO, CAN BE A MILLIONAIRE! $$$",
)
KEPT = [Keep(implicit=True)]
LARGE = header("Subject: large") + b"x" * (1 << 20)

SECTION_2_3_HASH = """if size :over 100k { # this is a comment
    discard;
}"""
SECTION_2_3_BRACKET = """if size :over 100K { /* this is a comment
    this is still a comment */ discard /* this is a comment
    */ ;
}"""
SECTION_2_5_1 = """if anyof (not exists ["From", "Date"],
      header :contains "from" "fool@example.com") {
    discard;
}"""
SECTION_2_7_3 = """if header :contains :comparator "i;octet" "Subject"
   "MAKE MONEY FAST" {
      discard;
}"""
SECTION_3_1 = """require "fileinto";
if header :contains "from" "coyote" {
   discard;
} elsif header :contains ["subject"] ["$$$"] {
   discard;
} else {
   fileinto "INBOX";
}"""
SECTION_3_1_LADDER = """if header :contains ["From"] ["coyote"] {
   redirect "acm@example.com";
} elsif header :contains "Subject" "$$$" {
   redirect "postmaster@example.com";
} else {
   redirect "field@example.com";
}"""
SECTION_4_1 = """require "fileinto";
if header :contains ["from"] "coyote" {
   fileinto "INBOX.harassment";
}"""
SECTION_4_4 = """if header :contains ["from"] ["idiot@example.com"] {
   discard;
}"""
SECTION_5_1 = 'if address :is :all "from" "tim@example.com" {\n   discard;\n}'
SECTION_5_6 = 'if not exists ["From","Date"] {\n   discard;\n}'


@pytest.mark.parametrize(
    ("script", "message", "actions"),
    [
        (SECTION_2_3_HASH, LARGE, [Discard()]),
        (SECTION_2_3_HASH, COYOTE, KEPT),
        (SECTION_2_3_BRACKET, LARGE, [Discard()]),
        (SECTION_2_3_BRACKET, COYOTE, KEPT),
        (SECTION_2_5_1, header("From: a@example.com"), [Discard()]),
        (SECTION_2_5_1, header("From: Fool@example.com", "Date: today"), [Discard()]),
        (SECTION_2_5_1, COYOTE, KEPT),
        (SECTION_2_7_3, header("Subject: MAKE MONEY FAST!"), [Discard()]),
        (SECTION_2_7_3, header("Subject: make money fast!"), KEPT),
        ("if size :over 500K { discard; }", COYOTE, KEPT),
        (SECTION_3_1, COYOTE, [Discard()]),
        (SECTION_3_1, RICH, [Discard()]),
        (SECTION_3_1, header("From: a@example.com"), [FileInto("INBOX")]),
        (SECTION_3_1_LADDER, COYOTE, [Redirect("acm@example.com")]),
        (SECTION_3_1_LADDER, RICH, [Redirect("postmaster@example.com")]),
        (SECTION_3_1_LADDER, LARGE, [Redirect("field@example.com")]),
        (SECTION_4_1, COYOTE, [FileInto("INBOX.harassment")]),
        (SECTION_4_1, RICH, KEPT),
        ('redirect "bart@example.com";', RICH, [Redirect("bart@example.com")]),
        ("if size :under 1M { keep; } else { discard; }", COYOTE, [Keep()]),
        ("if size :under 1M { keep; } else { discard; }", LARGE, [Discard()]),
        ("if not size :under 1M { discard; }", COYOTE, KEPT),
        ("if not size :under 1M { discard; }", LARGE, [Discard()]),
        (SECTION_4_4, header("From: idiot@example.com"), [Discard()]),
        (SECTION_4_4, COYOTE, KEPT),
        (SECTION_5_1, header("From: Tim <tim@EXAMPLE.com>"), [Discard()]),
        (SECTION_5_1, header("From: tim@example.com <tom@example.com>"), KEPT),
        (SECTION_5_6, header("From: a@example.com"), [Discard()]),
        (SECTION_5_6, COYOTE, KEPT),
        ('if header :is ["X-Caffeine"] [""] { discard; }', header("X-Caffeine: C8H10N4O2"), KEPT),
        ('if header :is ["X-Caffeine"] [""] { discard; }', header("X-Caffeine:"), [Discard()]),
        ('if header :is ["X-Caffeine"] [""] { discard; }', COYOTE, KEPT),
        ('if header :contains ["X-Caffeine"] [""] { discard; }', header("X-Caffeine: C8"), [Discard()]),
        ('if header :contains ["X-Caffeine"] [""] { discard; }', COYOTE, KEPT),
    ],
)  # fmt: skip
def test_examples(script: str, message: bytes, actions: list[Action]) -> None:
    assert list(actions_of(script, message)) == actions


@pytest.mark.parametrize(("sender", "actions"), [("tim@example.com", [Discard()]), ("tom@example.com", KEPT)])  # fmt: skip
def test_the_envelope(sender: str, actions: list[Action]) -> None:
    """§5.4."""
    script = 'require "envelope";\nif envelope :all :is "from" "tim@example.com" {\n   discard;\n}'
    envelope = ScriptEnvelope(sender, "me@example.org")
    assert list(actions_of(script, COYOTE, envelope=envelope)) == actions


def test_else_if_is_no_elsif() -> None:
    """§3.1: `else if` is an error, told for the `if` that stands where a block should begin."""
    assert errors_of("if true { keep; } else if true { discard; }") != []


EXTENDED = """#
# Example Sieve Filter
# Declare any optional features or extension used by the script
#
require ["fileinto"];

if header :is "Sender" "owner-ietf-mta-filters@imc.org"
        {
        fileinto "filter";  # move to "filter" mailbox
        }
#
# Keep all messages to or from people in my company
#
elsif address :DOMAIN :is ["From", "To"] "example.com"
        {
        keep;               # keep in "In" mailbox
        }
elsif anyof (NOT address :all :contains
               ["To", "Cc", "Bcc"] "me@example.com",
             header :matches "subject"
               ["*make*money*fast*", "*university*dipl*mas*"])
        {
        fileinto "spam";   # move to "spam" mailbox
        }
else
        {
        fileinto "personal";
        }
"""


@pytest.mark.parametrize(
    ("lines", "action"),
    [
        (["Sender: owner-ietf-mta-filters@imc.org", "To: x@example.com"], FileInto("filter")),
        (["From: boss@example.com", "To: me@example.com"], Keep()),
        (["From: a@example.org", "To: you@example.net"], FileInto("spam")),
        (
            ["From: a@example.org", "Cc: not-me@example.com.invalid", "Subject: Make big Money FAST now"],
            FileInto("spam"),
        ),
        (["From: a@example.org", "Bcc: me@example.com", "Subject: hello"], FileInto("personal")),
        (
            ["From: a@example.org", "Bcc: me@example.com", "Subject: University diplomas"],
            FileInto("spam"),
        ),
    ],
)  # fmt: skip
def test_the_extended_example(lines: list[str], action: Action) -> None:
    """§9."""
    assert actions_of(EXTENDED, header(*lines)) == (action,)
