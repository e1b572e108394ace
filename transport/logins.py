"""Checks a login from a listener: hops to the database, and the hash between two of them holds no connection.

Every exception but SaslError is a failure of our own: answer it 454 4.7.0 or `NO [UNAVAILABLE]`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from accounts.authentication import PendingLogin, begin_login, finish_login
from accounts.entries import Login, LoginRefused
from accounts.scram_login import PendingScram, begin_scram, finish_scram
from transport.database_threads import DatabaseThreads
from transport.sasl.mechanisms import Exchange
from transport.sasl.scram import ScramExchange
from transport.sasl.steps import Challenge, Claimed, Confirmed, Credentials, Proof

Ask = Callable[[Challenge], Awaitable[bytes]]
"""Sends a challenge and returns the client's response, decoded."""


async def authenticate(
    database: DatabaseThreads, exchange: Exchange, initial: bytes | None, ask: Ask, source: str
) -> Login | LoginRefused:
    """Carry out a SASL exchange. `initial` is the client's first response if it came with the command.

    `source` is the client's IP address. Raises SaslError, and what `ask` raises.
    """
    step = exchange.step(initial)
    while isinstance(step, Challenge):
        step = exchange.step(await ask(step))
    if isinstance(step, Credentials):
        return await log_in(database, step.login, step.password, source)
    assert isinstance(step, Claimed)
    assert isinstance(exchange, ScramExchange)
    pending = await database.run(begin_scram, step.login, source)
    if isinstance(pending, LoginRefused):
        return pending
    return await _prove(database, exchange, pending, ask)


async def _prove(
    database: DatabaseThreads, exchange: ScramExchange, pending: PendingScram, ask: Ask
) -> Login | LoginRefused:
    proof = exchange.step(await ask(exchange.challenge(pending.salt, pending.iterations)))
    assert isinstance(proof, Proof)
    outcome = await database.run(finish_scram, pending, proof.proof, proof.auth_message)
    if isinstance(outcome, LoginRefused):
        return outcome
    login, signature = outcome
    end = exchange.step(await ask(exchange.confirm(signature)))
    assert isinstance(end, Confirmed)
    return login


async def log_in(
    database: DatabaseThreads, login: str, password: str, source: str
) -> Login | LoginRefused:
    """Who this is, or why not. `source` is the client's IP address."""
    step = await database.run(begin_login, login, password, source)
    if not isinstance(step, PendingLogin):
        return step
    checked = await asyncio.wrap_future(step.submit())
    return await database.run(finish_login, step, checked)
