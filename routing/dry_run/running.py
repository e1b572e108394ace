"""A Sieve script tried on a message: what it would do and why, with nothing of it done."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accounts.mailstore.headers import HeaderAddress
from routing.sieve.errors import InvalidScript, ScriptError
from routing.sieve.host import Host, ScriptEnvelope
from routing.sieve.language import standard
from routing.sieve.message import Message
from routing.sieve.results import Result
from routing.sieve.trace import Kind, Trace

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class DryRun:
    """`text` is the script as far as it is text. Without a `result` it does not compile, and `errors` say why.

    With one, `errors` holds the error that ended the run, if one did.
    """

    text: str
    trace: Trace
    errors: tuple[ScriptError, ...] = ()
    warnings: tuple[ScriptError, ...] = ()
    result: Result | None = None

    @property
    def failed_elsewhere(self) -> bool:
        """Whether the error is in a script that this one includes: its place is one there."""
        lines = self.trace.lines
        return any(one.kind is Kind.ERROR and one.source is not lines[0].source for one in lines)


def dry_run(
    script: bytes,
    message: Message,
    envelope: ScriptEnvelope,
    host: Host,
    environment: Mapping[str, str] | None = None,
) -> DryRun:
    """Compile the script and run it over the message. Never raises for what they hold."""
    trace = Trace()
    text = script.decode("utf-8", "replace")
    try:
        program = standard().compile(script)
    except InvalidScript as invalid:
        return DryRun(text, trace, errors=invalid.errors)
    result = program.run(message, envelope, host, environment=environment, trace=trace)
    errors = (result.error,) if result.error else ()
    return DryRun(text, trace, errors, program.warnings, result)


def with_crlf(content: bytes) -> bytes:
    """A message as SMTP brings it: files have other ends of lines."""
    return _LINE_END.sub(b"\r\n", content)


def likely_envelope(message: Message, sender: str | None, recipient: str | None) -> ScriptEnvelope:
    """The envelope that is given, else the one that the message tells of: that of its delivery, or its authors'."""
    if sender is None:
        sender = _first_address(message, "Return-Path", "Sender", "From")
    if recipient is None:
        recipient = _first_address(message, "Delivered-To", "X-Original-To", "To", "Cc")
    return ScriptEnvelope(sender, recipient)


def _first_address(message: Message, *names: str) -> str:
    """Of the first of these fields that the message has; the empty Return-Path is an address too."""
    for name in names:
        for field in message.fields(name):
            if field.text == "<>":
                return ""
            for address in field.addresses:
                if address.local_part:
                    return _whole(address)
    return ""


def _whole(address: HeaderAddress) -> str:
    return f"{address.local_part}@{address.domain}" if address.domain else address.local_part
