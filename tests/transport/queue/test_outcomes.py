"""What replies mean."""

import pytest

from transport.queue.outcomes import Result, Stage, enhanced_status, outcome_of_reply

P, T, D = Result.PERMANENT, Result.TEMPORARY, Result.DELIVERED


@pytest.mark.parametrize(
    ("code", "text", "stage", "result", "status"),
    [
        (250, "2.0.0 ok", Stage.CONTENT, D, "2.0.0"),
        (250, "ok", Stage.CONTENT, D, "2.0.0"),
        (550, "5.1.1 unknown", Stage.RCPT, P, "5.1.1"),
        (550, "4.1.1 confused", Stage.RCPT, P, "5.0.0"),
        (550, "5.1.1x", Stage.RCPT, P, "5.0.0"),
        (450, "later", Stage.RCPT, T, "4.2.0"),
        (452, "too many recipients", Stage.RCPT, T, "4.5.3"),
        (452, "4.2.2 mailbox full", Stage.RCPT, T, "4.2.2"),
        (552, "too many recipients", Stage.RCPT, T, "4.5.3"),
        (552, "5.2.2 mailbox full", Stage.RCPT, P, "5.2.2"),
        (552, "too large", Stage.CONTENT, P, "5.2.2"),
        (554, "go away", Stage.GREETING, T, "4.0.0"),
        (521, "no mail", Stage.GREETING, P, "5.3.2"),
        (535, "5.7.8 no", Stage.AUTH, T, "4.7.8"),
        (354, "what", Stage.CONTENT, T, "4.0.0"),
    ],
)
def test_replies(code: int, text: str, stage: Stage, result: Result, status: str) -> None:
    outcome = outcome_of_reply(code, text, stage)
    assert (outcome.result, outcome.status) == (result, status)
    assert outcome.reply == f"{code} {text}"


def test_too_many_recipients_may_hurry_and_a_full_mailbox_may_not() -> None:
    assert outcome_of_reply(452, "4.5.3 too many", Stage.RCPT).may_hurry
    assert not outcome_of_reply(452, "4.2.2 full", Stage.RCPT).may_hurry
    assert not outcome_of_reply(452, "4.5.3 too many", Stage.CONTENT).may_hurry


def test_a_code_that_nobody_knows_has_the_status_of_its_class() -> None:
    assert enhanced_status(599, "") == "5.0.0"
    assert enhanced_status(499, "") == "4.0.0"
