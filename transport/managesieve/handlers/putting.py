"""PUTSCRIPT and CHECKSCRIPT (RFC 5804 §2.6, §2.12): nothing is stored that does not compile."""

from accounts.mailstore.values import MailboxId
from routing.scripts import storage
from routing.sieve.errors import ScriptError
from routing.sieve.language import standard
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from transport.database_threads import Connection
from transport.managesieve.handlers.registry import handles
from transport.managesieve.handlers.scripts import name_of
from transport.managesieve.replies import TOO_BIG, Reply, listed, no, ok
from transport.managesieve.session import Session
from transport.managesieve.wire.commands import Command

Warnings = tuple[ScriptError, ...]


@handles("PUTSCRIPT")
async def putscript(session: Session, command: Command) -> Reply:
    name = name_of(command.strings[0])
    content = command.strings[1]
    if not content:
        return no("The script is empty")
    return _reply(await session.run_long(_put, session.owner, name, content))


@handles("CHECKSCRIPT")
async def checkscript(session: Session, command: Command) -> Reply:
    content = command.strings[0]
    if len(content) > SCRIPT_SIZE_MAXIMUM:
        return TOO_BIG
    return _reply(await session.run_long(_check, content))


def _put(db: Connection, mailbox: MailboxId, name: str, content: bytes) -> Warnings:
    storage.check_space(db, mailbox, name, len(content))  # before the work of a compilation
    warnings = standard().compile(content).warnings
    storage.put_script(db, mailbox, name, content)
    return warnings


def _check(db: Connection, content: bytes) -> Warnings:
    return standard().compile(content).warnings


def _reply(warnings: Warnings) -> Reply:
    return ok(listed(warnings), b"WARNINGS") if warnings else ok()
