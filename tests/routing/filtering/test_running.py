"""The order of scripts, and what stands in the place of one that fails. The programs are compiled before: no database."""

import hashlib
from contextlib import suppress
from typing import Any, cast

from accounts.mailstore.values import MailboxId
from routing.filtering.running import Ran, run_scripts
from routing.scripts.programs import compiled
from routing.scripts.standing import StandingScript, StandingScripts
from routing.sieve.errors import InvalidScript
from routing.sieve.host import Alone, ScriptEnvelope
from routing.sieve.message import Message
from routing.sieve.wording import in_words
from routing.verdicts import Verdict

OWNER = MailboxId(1)
MESSAGE = Message(b"Subject: x\r\n\r\nText.\r\n")
SPAM = Verdict(is_spam=True)


def standing(text: str, mailbox: MailboxId | None = None) -> StandingScript:
    content = text.encode()
    with suppress(InvalidScript):  # it is remembered too
        compiled(content)
    return StandingScript(0, text[:20], hashlib.sha256(content).digest(), mailbox)


def run(
    before: str = "", own: str = "", after: str = "", verdict: Verdict | None = None, **options: Any
) -> Ran:
    scripts = StandingScripts(
        tuple(standing(text) for text in [before] if text),
        tuple(standing(text) for text in [after] if text),
        {OWNER: standing(own, OWNER)} if own else {},
    )
    nobody = cast("Any", None)
    return run_scripts(
        nobody,
        scripts,
        OWNER,
        MESSAGE,
        ScriptEnvelope(),
        Alone(),
        {},
        verdict or Verdict(),
        **options,
    )


def done(ran: Ran) -> list[str]:
    return [in_words(action) for action in ran.result.actions] if ran.result else []


FILE = 'require ["fileinto", "copy"]; fileinto {}"{}";'


def into(folder: str, copy: bool = False) -> str:
    return FILE.format(":copy " if copy else "", folder)


def test_the_first_that_cancels_the_keep_is_the_last() -> None:
    assert done(run(into("B"), into("O"), into("A"))) == ['file into "B"']
    assert done(run("", into("O"), into("A"))) == ['file into "O"']
    assert done(run("keep;", into("O"))) == ["keep: into INBOX"]


def test_all_run_while_the_keep_stands() -> None:
    copies = [into(name, copy=True) for name in "BOA"]
    assert done(run(*copies)) == [
        'file a copy into "B"',
        'file a copy into "O"',
        'file a copy into "A"',
        "implicit keep: into INBOX",
    ]


def test_spam_is_filed_before_the_owners_script_sees_it() -> None:
    spam = 'file into the folder for \\Junk, else "Spam" (made if it is missing)'
    assert done(run("", into("O"), into("A"), SPAM)) == [spam]
    assert done(run(into("B", copy=True), into("O"), "", SPAM)) == ['file a copy into "B"', spam]
    # the administrator's script may decide otherwise, and the owner may choose to see it
    assert done(run(into("B"), into("O"), "", SPAM)) == ['file into "B"']
    assert done(run("", into("O"), "", SPAM, sees_spam=True)) == ['file into "O"']


def test_one_that_fails_leaves_the_message_to_the_next() -> None:
    five = "".join(f'redirect "a{n}@x.example";' for n in range(5))
    for broken in ("nonsense;", five):
        ran = run(into("B", copy=True), broken, into("A"))
        assert done(ran) == ['file a copy into "B"', 'file into "A"']
        (failed,) = ran.failures
        assert failed.script.mailbox == OWNER
        assert failed.error.line == 1


def test_nothing_ran_where_nothing_stands() -> None:
    assert run() == Ran(None)
