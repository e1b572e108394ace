"""Checks a login from a listener: two hops to the database, and the hash between them holds no connection."""

import asyncio

from accounts.authentication import PendingLogin, begin_login, finish_login
from accounts.entries import Login, LoginRefused
from transport.database_threads import DatabaseThreads


async def log_in(
    database: DatabaseThreads, login: str, password: str, source: str
) -> Login | LoginRefused:
    """Who this is, or why not. `source` is the client's IP address.

    Every exception is a failure of our own: answer it 454 4.7.0 or `NO [UNAVAILABLE]`.
    """
    step = await database.run(begin_login, login, password, source)
    if not isinstance(step, PendingLogin):
        return step
    matches = await asyncio.wrap_future(step.submit())
    return await database.run(finish_login, step, matches)
