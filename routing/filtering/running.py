"""Runs a mailbox's scripts over a message, in their order, each only while the implicit keep stands.

The administrator's before all; then the server's own rule, which files spam into Spam; then the owner's active script;
then the administrator's after all. The owner's script sees spam only where its owner chose so.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import psycopg

from accounts.mailstore.values import MailboxId
from routing.decisions import JUNK
from routing.filtering.memories import Connection
from routing.scripts.standing import StandingScript, StandingScripts, program_of
from routing.sieve.actions import FileInto
from routing.sieve.errors import InvalidScript, ScriptError
from routing.sieve.host import Host, ScriptEnvelope
from routing.sieve.message import Message
from routing.sieve.results import Result
from routing.verdicts import NOT_JUDGED, Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failed:
    """A script that did not compile, or not run to its end."""

    script: StandingScript
    error: ScriptError


@dataclass(frozen=True, slots=True)
class Ran:
    """`result` is None when no script ran at all: the message is kept."""

    result: Result | None
    failures: tuple[Failed, ...] = ()


def run_scripts(
    db: Connection,
    scripts: StandingScripts,
    mailbox: MailboxId,
    message: Message,
    envelope: ScriptEnvelope,
    host: Host,
    environment: Mapping[str, str],
    verdict: Verdict = NOT_JUDGED,
    *,
    sees_spam: bool = False,
) -> Ran:
    """All of them, as long as each leaves the message to the next. `sees_spam`: the owner's script runs on spam too."""
    own = scripts.active.get(mailbox)
    result: Result | None = None
    failures: list[Failed] = []

    def run(script: StandingScript) -> None:
        nonlocal result
        if result is None or result.keeps_implicitly:
            result, error = _run(db, script, message, envelope, host, environment, result)
            if error is not None:
                failures.append(Failed(script, error))

    for script in scripts.before:
        run(script)
    if verdict.is_spam and not sees_spam:
        if result is None or result.keeps_implicitly:
            result = _into_spam(message, result)
    elif own is not None:
        run(own)
    for script in scripts.after:
        run(script)
    return Ran(result, tuple(failures))


def _run(
    db: Connection,
    script: StandingScript,
    message: Message,
    envelope: ScriptEnvelope,
    host: Host,
    environment: Mapping[str, str],
    after: Result | None,
) -> tuple[Result | None, ScriptError | None]:
    """What came of it, and what went wrong: then what was before stands."""
    try:
        program = program_of(db, script)
        if program is None:
            return after, None
        current = message if after is None else after.message
        result = program.run(current, envelope, host, environment=environment, after=after)
    except InvalidScript as error:
        return after, error.errors[0]
    except (psycopg.Error, OSError):
        raise
    except Exception:  # an error of ours: the message is not to wait for its repair
        log.exception("the script %r of mailbox %s failed", script.name, script.mailbox)
        return after, ScriptError(1, 1, "an error of the server")
    return result, result.error


def _into_spam(message: Message, before: Result | None) -> Result:
    filed = FileInto(JUNK.folder, create=JUNK.create, special_use=JUNK.special_use)
    if before is None:
        return Result(message, (filed,))
    return replace(before, actions=(*before.actions[:-1], filed))
