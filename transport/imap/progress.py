"""`* OK [INPROGRESS …]` while a command takes long (RFC 9585): the client knows that it is not forgotten."""

import asyncio
from types import TracebackType

from transport.imap.connection import Connection
from transport.imap.wire.responses import quoted, status_line

PROGRESS_SECONDS = 10.0

SPEAK_FOR_THEMSELVES = frozenset(("AUTHENTICATE", "FETCH", "IDLE", "LOGIN", "LOGOUT", "UID FETCH"))
"""Commands that take no time, wait for the client, or may be within a literal."""


class InProgress:
    """Around one command: tells every `seconds` that it runs; how far is not known."""

    __slots__ = ("_connection", "_seconds", "_tag", "_timer")

    def __init__(self, connection: Connection, tag: bytes, name: str, seconds: float) -> None:
        self._connection = connection
        self._tag = tag
        self._seconds = 0.0 if name in SPEAK_FOR_THEMSELVES else seconds
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        if self._seconds:
            self._wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._tell)

    def _tell(self) -> None:
        if self._connection.is_between_lines and not self._connection.is_deaf:
            # RFC 9585 §4: a tag with a bracket would end the response code
            tag = b"NIL" if b"]" in self._tag else quoted(self._tag)
            code = b"INPROGRESS (%b NIL NIL)" % tag
            self._connection.write(status_line(b"*", "OK", "Still at it", code))
            self._connection.flush()
        self._wait()
