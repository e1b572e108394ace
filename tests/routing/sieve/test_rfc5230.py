"""The examples of vacation (RFC 5230) and of its seconds (RFC 6131), each with mail that takes its branches."""

import pytest

from routing.sieve.actions import Action, Keep, Redirect, Vacation
from routing.sieve.host import ScriptEnvelope
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import errors_of, header, result_of

ROADRUNNER = "roadrunner@acme.example.com"
COYOTE = "coyote@desert.example.org"

CYRUS = """require "vacation";
if header :contains "subject" "cyrus" {
    vacation "I'm out -- send mail to cyrus-bugs";
} else {
    vacation "I'm out -- call me at +1 304 555 0123";
}"""
SUBJECTS = """require ["vacation", "variables"];
if header :matches "subject" "*" {
    vacation :subject "Automatic response to: ${1}"
             "I'm away -- send mail to foo in my absence";
}"""
HANDLE = """require "vacation";
if header :contains "subject" "lunch" {
    vacation :handle "ran-away" "I'm out and can't meet for lunch";
} else {
    vacation :handle "ran-away" "I'm out";
}"""
MIME = """require "vacation";
vacation :mime text:
Content-Type: multipart/alternative; boundary=foo

--foo

I'm at the beach relaxing.  Mmmm, surf...

--foo
Content-Type: text/html; charset=us-ascii

<BODY><P>I'm at the <A HREF="beach.gif">beach</A> relaxing.</BODY></HTML>

--foo--
.
;"""
SIMPLE = """require "vacation";
vacation :days 23 :addresses ["tjs@example.edu",
                              "ts4z@landru.example.edu"]
"I'm away until October 19.
If it's an emergency, call 911, I guess." ;"""
BOSS = """require "vacation";
if header :contains "from" "boss@example.edu" {
    redirect "pleeb@isp.example.org";
} else {
    vacation "Sorry, I'm away, I'll read your
message when I get around to it.";
}"""
LANGUAGE = """require "vacation";
if header :contains ["accept-language", "content-language"] "en"
{
    vacation "I am away this week.";
} else {
    vacation "Estoy ausente esta semana.";
}"""
DIVISION = """require "vacation";
if address :matches "from" "*@ourdivision.example.com"
{
    vacation :subject "Gone fishing"
             "Having lots of fun! Back in a day or two!";
} else {
    vacation :subject "Je suis parti cette semaine"
             "Je lirai votre message quand je retourne.";
}"""
SECONDS = """require ["vacation-seconds"];
vacation :addresses ["tjs@example.edu", "ts4z@landru.example.edu"]
         :seconds 1800
         "I am in a meeting, and do not have access to email.";"""
EACH = """require ["vacation-seconds"];
vacation :handle "auto-resp" :seconds 0
    "Your request has been received.  A service
     representative will contact you as soon as
     possible, usually within one business day.";"""


def own_host() -> MemoryHost:
    return MemoryHost(addresses=(ROADRUNNER,))


def mail(*lines: str, to: str = ROADRUNNER) -> bytes:
    return header(f"To: {to}", *lines)


def answers(script: str, message: bytes, host: MemoryHost) -> list[str]:
    """What the coyote is told; the host remembers what it has to."""
    result = result_of(script, message, ScriptEnvelope(COYOTE, ROADRUNNER), host)
    assert result.error is None
    host.memories |= {(memory.kind, memory.key) for memory in result.memories}
    return [one.reason for one in result.actions if isinstance(one, Vacation)]


def test_each_response_is_sent_once() -> None:
    """§4.2."""
    host = own_host()
    bug, dinner = mail("Subject: Cyrus bug"), mail("Subject: come over for dinner")
    assert answers(CYRUS, bug, host) == ["I'm out -- send mail to cyrus-bugs"]
    assert answers(CYRUS, dinner, host) == ["I'm out -- call me at +1 304 555 0123"]
    assert answers(CYRUS, bug, host) == answers(CYRUS, dinner, host) == []


def test_a_response_is_the_same_whatever_its_variables_hold() -> None:
    """§4.2."""
    host = own_host()
    assert answers(SUBJECTS, mail("Subject: one"), host) != []
    assert answers(SUBJECTS, mail("Subject: two"), host) == []


def test_a_handle_makes_two_responses_one() -> None:
    """§4.2."""
    host = own_host()
    assert answers(HANDLE, mail("Subject: lunch?"), host) == ["I'm out and can't meet for lunch"]
    assert answers(HANDLE, mail("Subject: dinner?"), host) == []


@pytest.mark.parametrize(
    ("script", "lines", "to", "actions"),
    [
        (
            SIMPLE,
            [],
            "ts4z@landru.example.edu",
            [
                Vacation(
                    "I'm away until October 19.\r\nIf it's an emergency, call 911, I guess.",
                    ROADRUNNER,
                )
            ],
        ),
        (SIMPLE, [], "else@example.edu", []),
        (BOSS, ["From: boss@example.edu"], ROADRUNNER, [Redirect("pleeb@isp.example.org")]),
        (
            BOSS,
            [],
            ROADRUNNER,
            [
                Vacation(
                    "Sorry, I'm away, I'll read your\r\nmessage when I get around to it.",
                    ROADRUNNER,
                )
            ],
        ),
        (
            LANGUAGE,
            ["Accept-Language: en, fr"],
            ROADRUNNER,
            [Vacation("I am away this week.", ROADRUNNER)],
        ),
        (LANGUAGE, [], ROADRUNNER, [Vacation("Estoy ausente esta semana.", ROADRUNNER)]),
        (
            DIVISION,
            ["From: a@ourdivision.example.com"],
            ROADRUNNER,
            [Vacation("Having lots of fun! Back in a day or two!", ROADRUNNER, "Gone fishing")],
        ),
        (
            DIVISION,
            ["From: a@example.com"],
            ROADRUNNER,
            [
                Vacation(
                    "Je lirai votre message quand je retourne.",
                    ROADRUNNER,
                    "Je suis parti cette semaine",
                )
            ],
        ),
    ],
)
def test_examples(script: str, lines: list[str], to: str, actions: list[Action]) -> None:
    """§4.8, §7."""
    result = result_of(script, mail(*lines, to=to), ScriptEnvelope(COYOTE, ROADRUNNER), own_host())
    assert result.error is None
    shown = [
        replaced(one) if isinstance(one, Vacation) else one
        for one in result.actions
        if one != Keep(implicit=True)
    ]
    assert shown == [replaced(one) if isinstance(one, Vacation) else one for one in actions]


def replaced(action: Vacation) -> Vacation:
    """Line ends as they are in the script of this file."""
    return Vacation(action.reason.replace("\r\n", "\n"), action.recipient, action.subject)


def test_a_mime_entity() -> None:
    """§4.4."""
    result = result_of(MIME, mail(), ScriptEnvelope(COYOTE, ROADRUNNER), own_host())
    [answer, _] = result.actions
    assert isinstance(answer, Vacation)
    assert answer.mime
    assert answer.reason.startswith("Content-Type: multipart/alternative; boundary=foo")


@pytest.mark.parametrize(
    ("entity", "is_valid"),
    [
        ("Content-Type: text/plain\n\nSchöne Grüße", True),
        ("\nSchöne Grüße", True),
        ("Content-Description: Grüße\n\nx", False),
        ("Grüße", False),
    ],
)
def test_eight_bit_headers_of_an_entity_are_refused(entity: str, is_valid: bool) -> None:
    """§5."""
    assert (errors_of(f'require "vacation"; vacation :mime "{entity}";') == []) is is_valid


def test_seconds() -> None:
    """RFC 6131 §3."""
    message = mail(to="tjs@example.edu")
    result = result_of(SECONDS, message, ScriptEnvelope(COYOTE, ROADRUNNER), own_host())
    assert [memory.seconds for memory in result.memories] == [1800]
    host = own_host()
    assert [len(answers(EACH, mail(), host)) for _ in range(3)] == [1, 1, 1]
    assert host.memories == set()


@pytest.mark.parametrize("sender", ["\udcff@example.com", "ü@example.com", '"a b"@example.com'])
def test_senders_of_any_characters_are_remembered(sender: str) -> None:
    result = result_of(CYRUS, mail(), ScriptEnvelope(sender, ROADRUNNER), own_host())
    assert len(result.memories) == 1
