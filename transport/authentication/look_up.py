"""How the checks of a sender ask DNS: a function, so that a test gives a zone of its own."""

from collections.abc import Awaitable, Callable

from transport.dns.resolver import Answer

LookUp = Callable[[str, str], Awaitable[Answer]]
"""(name, record type) -> Answer; never raises for what DNS does."""
