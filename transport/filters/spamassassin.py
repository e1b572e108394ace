"""Asks SpamAssassin's spamd for its opinion of a message, and teaches it, by aiospamc.

As with spamc, a message over 512 KiB is not sent. spamd hears of a teacher only with `--allow-tell`.
"""

from typing import Any

from aiospamc.client import Client
from aiospamc.connections import ConnectionManager
from aiospamc.header_values import (
    ActionOption,
    MessageClassOption,
    MessageClassValue,
    SetOrRemoveValue,
)
from aiospamc.requests import Request

from routing.verdicts import Term
from transport.filters.points import scaled
from transport.filters.streams import exchange
from transport.filters.values import FilterError

SIZE_LIMIT = 512 * 1024
ANSWER_LIMIT = 64 * 1024
RULES_SHOWN = 300  # characters


class _Connection(ConnectionManager):  # type: ignore[misc]
    """aiospamc's own reads as much as the other end likes to send."""

    async def request(self, data: bytes) -> bytes:
        return await exchange(self.connection_string, [data], ANSWER_LIMIT)


async def check(address: str, content: bytes) -> Term:
    """Raises OSError and FilterError; the caller bounds the time."""
    response = await _request(address, Request("SYMBOLS", body=content))
    spam = response.headers.spam
    if spam is None:
        raise FilterError("it gave no score")
    rules = response.body.decode("ascii", "replace").strip().replace(",", " ")
    note = "".join(one if one.isprintable() else "?" for one in rules)[:RULES_SHOWN]
    return Term("SPAMASSASSIN", scaled(spam.score, spam.threshold), note)


async def teach(address: str, content: bytes, is_spam: bool) -> None:
    """What was taught the other way is forgotten by spamd itself. Raises OSError and FilterError."""
    kind = MessageClassOption.spam if is_spam else MessageClassOption.ham
    headers: dict[str, Any] = {
        "Message-class": MessageClassValue(kind),
        "Set": SetOrRemoveValue(ActionOption(local=True)),
    }
    await _request(address, Request("TELL", headers=headers, body=content))


async def _request(address: str, request: Request) -> Any:
    try:
        return await Client(_Connection(address)).request(request)
    except (OSError, FilterError, TimeoutError):
        raise
    except Exception as error:  # whatever its parser says of garbage
        raise FilterError(f"it answered what is no answer: {str(error)[:100]!r}") from error
