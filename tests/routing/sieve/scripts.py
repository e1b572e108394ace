"""Compiling and running scripts in one call, as the tests here do all the time."""

from collections.abc import Mapping

from routing.sieve.actions import Action, Discard
from routing.sieve.errors import InvalidScript
from routing.sieve.host import Host, ScriptEnvelope
from routing.sieve.language import standard
from routing.sieve.message import Message
from routing.sieve.results import Result
from tests.routing.sieve.memory_host import MemoryHost

MESSAGE = b"""\
From: Tom Sawyer <tom@example.com>
To: me@example.org
Subject: Whitewash
Message-ID: <fence@example.com>

The fence is done.
""".replace(b"\n", b"\r\n")
ENVELOPE = ScriptEnvelope("tom@example.com", "me@example.org")


def header(*lines: str) -> bytes:
    """A message of these header lines."""
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\nbody\r\n"


def result_of(
    script: str,
    message: bytes = MESSAGE,
    envelope: ScriptEnvelope = ENVELOPE,
    host: Host | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    after: Result | None = None,
) -> Result:
    program = standard().compile(script.encode())
    host = MemoryHost() if host is None else host
    return program.run(Message(message), envelope, host, environment=environment, after=after)


def actions_of(script: str, message: bytes = MESSAGE, **given: object) -> tuple[Action, ...]:
    """What a script that has no error comes to."""
    result = result_of(script, message, **given)  # type: ignore[arg-type]
    assert result.error is None, result.error
    return result.actions


def is_true(
    test: str,
    message: bytes = MESSAGE,
    *,
    require: tuple[str, ...] = (),
    **given: object,
) -> bool:
    """Whether a test holds for a message."""
    names = ", ".join(f'"{name}"' for name in require)
    script = f"require [{names}];\n" if require else ""
    actions = actions_of(f"{script}if {test} {{ discard; }}", message, **given)
    return isinstance(actions[0], Discard)


def errors_of(script: str | bytes) -> list[tuple[int, int, str]]:
    """Line, column and text of all errors of a script that does not compile."""
    try:
        standard().compile(script if isinstance(script, bytes) else script.encode())
    except InvalidScript as invalid:
        return [(one.line, one.column, one.message) for one in invalid.errors]
    return []
