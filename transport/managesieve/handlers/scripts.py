"""What is done with scripts that are there (RFC 5804 §2.5, §2.7-2.11)."""

from routing.scripts import storage
from routing.scripts.names import ScriptNameInvalid, script_name
from transport.managesieve.handlers.registry import handles
from transport.managesieve.replies import Reply, ok
from transport.managesieve.session import Session
from transport.managesieve.wire.commands import Command
from transport.managesieve.wire.responses import literal, string


def name_of(octets: bytes) -> str:
    """A script's name. Raises ScriptNameInvalid."""
    try:
        return script_name(octets.decode("utf-8"))
    except UnicodeDecodeError:
        raise ScriptNameInvalid("The name is not UTF-8") from None


@handles("HAVESPACE")
async def havespace(session: Session, command: Command) -> Reply:
    name = name_of(command.strings[0])
    await session.run(storage.check_space, session.owner, name, command.number)
    return ok()


@handles("LISTSCRIPTS")
async def listscripts(session: Session, command: Command) -> Reply:
    for one in await session.run(storage.list_scripts, session.owner):
        mark = b" ACTIVE" if one.is_active else b""
        session.write(string(one.name.encode()) + mark + b"\r\n")
    return ok()


@handles("SETACTIVE")
async def setactive(session: Session, command: Command) -> Reply:
    name = name_of(command.strings[0]) if command.strings[0] else ""
    await session.run(storage.activate_script, session.owner, name)
    return ok()


@handles("GETSCRIPT")
async def getscript(session: Session, command: Command) -> Reply:
    content = await session.run(storage.script, session.owner, name_of(command.strings[0]))
    if content is None:
        raise storage.NoSuchScript
    session.write(literal(content) + b"\r\n")
    return ok()


@handles("DELETESCRIPT")
async def deletescript(session: Session, command: Command) -> Reply:
    await session.run(storage.delete_script, session.owner, name_of(command.strings[0]))
    return ok()


@handles("RENAMESCRIPT")
async def renamescript(session: Session, command: Command) -> Reply:
    old, new = map(name_of, command.strings)
    await session.run(storage.rename_script, session.owner, old, new)
    return ok()
