"""vacation, vacation-seconds and reject: who is answered, and how often."""

import pytest

from routing.sieve.actions import Discard, Keep, Reject, Vacation
from routing.sieve.host import ScriptEnvelope
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import ENVELOPE, actions_of, errors_of, header, result_of

REQUIRE = 'require ["vacation", "vacation-seconds", "variables", "reject", "ereject"];\n'
AWAY = f'{REQUIRE}vacation "I am away";'


def answers(script: str, message: bytes, host: MemoryHost, sender: str = "tom@example.com") -> int:
    """How many answers a message gets; what is to be remembered is."""
    envelope = ScriptEnvelope(sender, "me@example.org")
    result = result_of(script, message, envelope, host)
    assert result.error is None
    host.memories |= {(memory.kind, memory.key) for memory in result.memories}
    return sum(isinstance(action, Vacation) for action in result.actions)


def test_an_answer_keeps_the_message() -> None:
    actions = actions_of(AWAY)
    assert actions == (Vacation("I am away", "me@example.org"), Keep(implicit=True))


def test_a_sender_gets_the_same_answer_once() -> None:
    host = MemoryHost()
    script = (
        f'{REQUIRE}if header :contains "subject" "cyrus" {{ vacation "bugs"; }}'
        ' else { vacation "call me"; }'
    )
    cyrus, dinner = header("To: me@example.org", "Subject: cyrus"), header("To: me@example.org")
    assert [answers(script, m, host) for m in (cyrus, dinner, cyrus, dinner)] == [1, 1, 0, 0]
    assert answers(script, dinner, host, "becky@example.com") == 1


def test_variables_are_not_expanded_to_tell_answers_apart() -> None:
    host = MemoryHost()
    script = (
        f'{REQUIRE}if header :matches "subject" "*" '
        '{ vacation :subject "Re: ${1}" "I am away"; }'
    )
    messages = [header("To: me@example.org", f"Subject: {n}") for n in range(2)]
    assert [answers(script, message, host) for message in messages] == [1, 0]
    again = f'{REQUIRE}vacation :handle "h" "one";', f'{REQUIRE}vacation :handle "h" "two";'
    assert [answers(script, messages[0], host) for script in again] == [1, 0]


@pytest.mark.parametrize(
    "fields",
    [
        ("To: me@example.org", "List-Id: <x.example>"),
        ("To: me@example.org", "Precedence: bulk"),
        ("To: me@example.org", "Auto-Submitted: auto-replied (vacation)"),
        ("To: me@example.org", "X-Auto-Response-Suppress: DR, OOF"),
        ("To: somebody@example.org",),
        ("Subject: to nobody",),
    ],
)
def test_who_is_not_answered(fields: tuple[str, ...]) -> None:
    assert answers(AWAY, header(*fields), MemoryHost()) == 0


@pytest.mark.parametrize(
    "sender",
    ["", "MAILER-DAEMON@example.com", "owner-list@example.com", "list-request@example.com",
     "me@example.org", "me+tag@example.org", "no-reply@example.com"],
)  # fmt: skip
def test_senders_that_are_not_answered(sender: str) -> None:
    assert answers(AWAY, header("To: me@example.org"), MemoryHost(), sender) == 0


@pytest.mark.parametrize(
    "fields",
    [
        ("Cc: Me <ME+work@example.org>",),
        ("Resent-To: a@b.example, me@example.org",),
        ("To: me@example.org", "Auto-Submitted: no"),
    ],
)
def test_who_is_answered(fields: tuple[str, ...]) -> None:
    assert answers(AWAY, header(*fields), MemoryHost()) == 1


def test_addresses_of_the_script_are_the_owners() -> None:
    script = f'{REQUIRE}vacation :addresses ["old@example.net"] "I am away";'
    assert actions_of(script, header("To: old@example.net"))[0] == Vacation(
        "I am away", "me@example.org"
    )


@pytest.mark.parametrize(
    ("period", "seconds"),
    [("", 604_800), (":days 3", 259_200), (":days 0", 86_400), (":days 9999", 31_536_000),
     (":seconds 600", 600), (":seconds 1", 60)],
)  # fmt: skip
def test_periods(period: str, seconds: int) -> None:
    result = result_of(f'{REQUIRE}vacation {period} "x";')
    assert [memory.seconds for memory in result.memories] == [seconds]


def test_without_a_period_each_message_is_answered() -> None:
    host = MemoryHost()
    script = f'{REQUIRE}vacation :seconds 0 "x";'
    assert [answers(script, header("To: me@example.org"), host) for _ in range(2)] == [1, 1]


def test_two_answers_and_an_answer_to_what_is_rejected_are_errors() -> None:
    assert "once" in str(result_of(f'{REQUIRE}vacation "a"; vacation "b";').error)
    assert "rejected" in str(result_of(f'{REQUIRE}reject "no"; vacation "b";').error)
    assert "rejected" in str(result_of(f'{REQUIRE}vacation "b"; ereject "no";').error)
    assert errors_of(f'{REQUIRE}vacation :days 1 :seconds 60 "x";')
    assert errors_of(f'{REQUIRE}vacation :from "nobody at all" "x";')


def test_scripts_that_run_together_answer_once() -> None:
    host = MemoryHost(personal={"away": AWAY.encode()})
    script = 'require ["include", "vacation"]; vacation "a"; include "away";'
    assert "once" in str(result_of(script, host=host).error)
    before = result_of(AWAY)
    after = result_of(f'{REQUIRE}vacation "another";', after=before)
    assert after.error is None
    assert after.actions == before.actions
    assert after.memories == before.memories


def test_reject() -> None:
    assert actions_of(f'{REQUIRE}reject "no";') == (Reject("no"),)
    assert actions_of(f'{REQUIRE}discard; ereject "no";') == (
        Discard(),
        Reject("no", extended=True),
    )
    result = result_of(f'{REQUIRE}keep; reject "no";', envelope=ENVELOPE)
    assert result.error is not None
    assert result.actions == (Keep(implicit=True),)
