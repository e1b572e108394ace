"""Short questions to the database from the event loop itself, without a hop into a thread.

To ask in a thread costs more than the question: two switches of threads, which wait for each other. What is asked here
is one statement that only reads and waits for no lock. One connection of the process serves all its sessions: the
questions are sent as they come (libpq's pipeline), each a transaction of its own, and answered in that order.

Where there is no connection, or no answer but an error, the question goes to `DatabaseThreads`: it waits for the
database as it does for every service, and raises what there is to be raised.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import count

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

from accounts.mailstore.prepared import Parameter, Prepared, Row, rows_in
from transport.database_threads import Connection, DatabaseThreads, connect

Key = tuple[bytes, tuple[int, ...]]


class Questions:
    """Of one process. All methods belong to one event loop."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._line: _Line | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._is_closed = False

    async def rows(self, statement: Prepared, *values: Parameter) -> list[Row]:
        """The statement's rows. Raises psycopg.Error."""
        line = self._line
        if line is not None and not line.is_lost:
            try:
                return await line.ask(statement, values)
            except _Unanswered:
                pass
        elif self._connecting is None and not self._is_closed:
            self._connecting = asyncio.create_task(self._connect())
        return await self._database.run(statement.rows, *values)

    def close(self) -> None:
        """Who waits is answered by the threads."""
        self._is_closed = True
        if self._line is not None:
            self._line.lose()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(None, connect)
        except psycopg.Error:  # the threads wait for the database
            return
        finally:
            self._connecting = None
        if self._is_closed:
            connection.close()
        else:
            self._line = _Line(loop, connection)


class _Unanswered(Exception):
    """The connection was lost, or the server had an error for us."""


@dataclass(slots=True, eq=False)
class _Question:
    answer: "asyncio.Future[list[Row]]"
    prepares: Key | None = None
    result: pq.abc.PGresult | None = None


class _Line:
    """One connection and the questions that are under way on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: Connection) -> None:
        self.is_lost = False
        self._loop = loop
        self._connection = connection
        self._transformer = Transformer(connection)
        self._pgconn = connection.pgconn
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._socket = self._pgconn.socket
        self._names: dict[Key, bytes] = {}
        self._numbers = count()
        self._asked: deque[_Question] = deque()
        loop.add_reader(self._socket, self._read)

    def ask(
        self, statement: Prepared, values: tuple[Parameter, ...]
    ) -> "asyncio.Future[list[Row]]":
        """The rows to come; the future may raise _Unanswered."""
        dumped = statement.dumped(values)  # may fail: nothing is asked then
        question = _Question(self._loop.create_future())
        self._asked.append(question)
        try:
            name = self._names.get(statement.key)
            if name is None:
                question.prepares = statement.key
                name = self._names[statement.key] = b"q%d" % next(self._numbers)
                self._pgconn.send_prepare(name, *statement.key)
            self._pgconn.send_query_prepared(name, dumped, statement.formats, pq.Format.BINARY)
            self._pgconn.pipeline_sync()
            self._write()
        except psycopg.Error:
            self.lose()
        return question.answer

    def lose(self) -> None:
        """Give the connection up."""
        if self.is_lost:
            return
        self.is_lost = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._connection.close()
        while self._asked:
            answer = self._asked.popleft().answer
            if not answer.done():
                answer.set_exception(_Unanswered())

    def _write(self) -> None:
        if self._pgconn.flush():
            self._loop.add_writer(self._socket, self._write_more)

    def _write_more(self) -> None:
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._socket)
        except psycopg.Error:
            self.lose()

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
        except psycopg.Error:
            return self.lose()
        while self._asked and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if self._pgconn.status != pq.ConnStatus.OK:
                return self.lose()
            if result is not None:
                self._take(self._asked[0], result)

    def _take(self, question: _Question, result: pq.abc.PGresult) -> None:
        match result.status:
            case pq.ExecStatus.PIPELINE_SYNC:
                self._asked.popleft()
                self._answer(question)
            case pq.ExecStatus.TUPLES_OK:
                question.result = result
            case pq.ExecStatus.FATAL_ERROR if question.prepares is not None:
                self._names.pop(question.prepares, None)

    def _answer(self, question: _Question) -> None:
        if question.answer.done():  # cancelled: nobody waits any more
            return
        if question.result is None:
            return question.answer.set_exception(_Unanswered())
        try:
            question.answer.set_result(rows_in(self._transformer, question.result))
        except Exception as error:  # the others' answers are still to be read
            question.answer.set_exception(error)
