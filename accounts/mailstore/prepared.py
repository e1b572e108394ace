"""Statements of the hottest paths, sent by libpq in one call: a third of the CPU time of psycopg's `execute`.

psycopg prepares them and knows their names on each connection: while it has one, libpq runs it; when it has dropped it
(it does so after each ROLLBACK), psycopg's `execute` prepares it again. They run in whatever transaction the connection
is in, and block the thread (without the interpreter's lock) until the answer is there.
"""

import select
from collections.abc import Callable, Sequence
from itertools import count
from re import sub
from struct import Struct
from typing import Any

import psycopg
from psycopg import abc, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.numeric import Int8

Parameter = int | str | bytes
Row = tuple[Any, ...]

_BINARY = pq.Format.BINARY
_TYPES: dict[type, int] = {int: 20, str: 25, bytes: 17}  # bigint, text, bytea
_DUMPS: dict[type, Callable[[Any], bytes]] = {int: Struct("!q").pack, str: str.encode, bytes: bytes}


class Prepared:
    """A statement with parameters written `%b`, of these Python types: int is bigint. It returns rows."""

    def __init__(self, query: str, *types: type[int] | type[str] | type[bytes]) -> None:
        numbers = count(1)
        on_server = sub("%b", lambda _: f"${next(numbers)}", query).encode()
        self._query = query
        self.key = (on_server, tuple(_TYPES[kind] for kind in types))
        self._dumps = [_DUMPS[kind] for kind in types]
        self.formats = [_BINARY] * len(types)

    def rows(self, db: psycopg.Connection[Any], *values: Parameter) -> list[Row]:
        """The statement's rows. Raises psycopg.Error."""
        name = _name_of(db, self.key)
        if name is None:
            return db.execute(self._query, _wide(values), prepare=True, binary=True).fetchall()
        return _run(db, name, self.dumped(values), self.formats)

    def dumped(self, values: Sequence[Parameter]) -> list[bytes]:
        """The values as they are sent, each in its format of `formats`."""
        return [dump(value) for dump, value in zip(self._dumps, values, strict=True)]

    def row(self, db: psycopg.Connection[Any], *values: Parameter) -> Row | None:
        """The first row, if there is one. Raises psycopg.Error."""
        found = self.rows(db, *values)
        return found[0] if found else None


def rows_of(db: psycopg.Connection[Any], statement: bytes, values: Sequence[Any]) -> list[Row]:
    """The rows of a statement with parameters $1, $2, ... of whatever types psycopg knows. Raises psycopg.Error."""
    values = _wide(values)
    transformer = Transformer(db)
    dumped = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    name = _name_of(db, (statement, transformer.types or ()))
    if name is None:
        with psycopg.RawCursor(db) as cursor:
            return cursor.execute(statement, values, prepare=True, binary=True).fetchall()
    return _run(db, name, dumped, transformer.formats, transformer)


def rows_after(
    db: psycopg.Connection[Any],
    first: Prepared,
    first_values: Sequence[Parameter],
    statement: bytes,
    values: Sequence[Any],
) -> list[Row]:
    """`rows_of`, in one round trip and transaction with `first`, which may have to wait for a lock.

    The statement begins only then: it sees all that was committed until `first` was done. Raises psycopg.Error.
    """
    values = _wide(values)
    transformer = Transformer(db)
    dumped = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    first_name = _name_of(db, first.key)
    name = _name_of(db, (statement, transformer.types or ()))
    if first_name is None or name is None:
        with db.transaction():
            first.rows(db, *first_values)
            return rows_of(db, statement, values)
    before = (first_name, first.dumped(first_values), first.formats)
    return rows_in(transformer, _in_one_trip(db, before, (name, dumped, transformer.formats))[-1])


def rows_before(
    db: psycopg.Connection[Any],
    statement: bytes,
    values: Sequence[Any],
    last: Prepared,
    last_values: Sequence[Parameter],
) -> list[Row]:
    """`rows_of`, in one round trip and transaction with `last`, which sees what it did. Raises psycopg.Error."""
    values = _wide(values)
    transformer = Transformer(db)
    dumped = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
    name = _name_of(db, (statement, transformer.types or ()))
    last_name = _name_of(db, last.key)
    if last_name is None or name is None:
        with db.transaction():
            rows = rows_of(db, statement, values)
            last.rows(db, *last_values)
            return rows
    after = (last_name, last.dumped(last_values), last.formats)
    return rows_in(transformer, _in_one_trip(db, (name, dumped, transformer.formats), after)[0])


_Sent = tuple[bytes, Sequence[Any], Sequence[int] | None]


def _in_one_trip(db: psycopg.Connection[Any], *statements: _Sent) -> list[pq.abc.PGresult]:
    """The result of each, in one transaction. Raises the first one's error."""
    pgconn = db.pgconn
    pgconn.enter_pipeline_mode()
    for name, values, formats in statements:
        pgconn.send_query_prepared(name, values, formats, _BINARY)
    pgconn.pipeline_sync()
    _send_all(pgconn)
    results = _until_sync(pgconn)
    pgconn.exit_pipeline_mode()
    for result in results:
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise _error(db, result)
    return results


def _send_all(pgconn: pq.abc.PGconn) -> None:
    """psycopg's connections do not block: what the socket does not take at once waits to be sent."""
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        ready.poll()
        pgconn.consume_input()  # or the server would wait for us


def _until_sync(pgconn: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    """The results of a pipeline. libpq would wait for them with the interpreter's lock."""
    readable = select.poll()
    readable.register(pgconn.socket, select.POLLIN)
    results: list[pq.abc.PGresult] = []
    while True:
        while pgconn.is_busy():
            readable.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # the end of one statement's
            if pgconn.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection was lost")
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)


def _wide(values: Sequence[Any]) -> list[Any]:
    """Every int as bigint: psycopg would choose by value, and prepare the statement for each choice."""
    return [Int8(value) if type(value) is int else value for value in values]


def _name_of(db: psycopg.Connection[Any], key: tuple[bytes, tuple[int, ...]]) -> bytes | None:
    return db._prepared._names.get(key)  # shown nowhere else


def _run(
    db: psycopg.Connection[Any],
    name: bytes,
    values: Sequence[Any],
    formats: Sequence[int] | None,
    transformer: abc.Transformer | None = None,
) -> list[Row]:
    result = db.pgconn.exec_prepared(name, values, formats, _BINARY)
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise _error(db, result)
    return rows_in(transformer or Transformer(db), result)


def rows_in(transformer: abc.Transformer, result: pq.abc.PGresult) -> list[Row]:
    """The rows of a result. To make the transformer of a connection takes longer than to use it."""
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)


def _error(db: psycopg.Connection[Any], result: pq.abc.PGresult) -> psycopg.Error:
    error = psycopg.errors.error_from_result(result, encoding=db.info.encoding)
    is_lost = (
        db.pgconn.status == pq.ConnStatus.BAD
    )  # the server is gone, and has no SQLSTATE for it
    return psycopg.OperationalError(str(error)) if is_lost else error
