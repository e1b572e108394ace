"""Asks rspamd's HTTP interface for its opinion of a message, and teaches it."""

import json
from typing import Any

import httpx

from routing.verdicts import Term
from transport.filters.points import scaled
from transport.filters.streams import is_socket_path
from transport.filters.values import Envelope, FilterError

ANSWER_LIMIT = 512 * 1024
SYMBOLS_SHOWN = 300  # characters
SPAM_ACTION = "add header"
ALREADY_LEARNED = 208


def open_client(address: str) -> httpx.AsyncClient:
    """Keeps its connections, so there is one for many messages; the caller closes it and bounds the time."""
    path = address if is_socket_path(address) else None
    return httpx.AsyncClient(
        base_url="http://rspamd" if path else f"http://{address}",
        transport=httpx.AsyncHTTPTransport(verify=False, uds=path),
        headers={"Accept-Encoding": "identity"},
        timeout=None,
        trust_env=False,
    )


async def check(client: httpx.AsyncClient, content: bytes, envelope: Envelope) -> Term:
    """Raises FilterError and ConnectionError."""
    headers = [
        ("From", envelope.reverse_path),
        ("IP", envelope.client_address),
        ("Helo", envelope.helo),
        *(("Rcpt", recipient) for recipient in envelope.recipients),
    ]
    status, body = await _post(client, "/checkv2", headers, content)
    if status != 200:
        raise FilterError(f"it answered with status {status}")
    try:
        return _term(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FilterError("it answered what is no answer") from error


async def teach(client: httpx.AsyncClient, password: str, content: bytes, is_spam: bool) -> None:
    """Raises FilterError and ConnectionError."""
    path = "/learnspam" if is_spam else "/learnham"
    headers = [("Password", password)] if password else []
    status, body = await _post(client, path, headers, content)
    if status not in (200, ALREADY_LEARNED):
        raise FilterError(f"status {status}: {body[:100].decode('ascii', 'replace')!r}")


def _term(answer: Any) -> Term:
    """On its scale mail is spam from "add header" on; where that action is off, from what it refuses at."""
    threshold = (answer.get("thresholds") or {}).get(SPAM_ACTION) or answer["required_score"]
    symbols = [
        (float(one.get("score", 0)), str(name)) for name, one in answer.get("symbols", {}).items()
    ]
    heaviest = sorted(symbols, key=lambda pair: -abs(pair[0]))
    text = " ".join(name for score, name in heaviest if score)
    note = "".join(one if one.isprintable() else "?" for one in text)[:SYMBOLS_SHOWN]
    return Term("RSPAMD", scaled(float(answer["score"]), float(threshold)), note)


async def _post(
    client: httpx.AsyncClient, path: str, headers: list[tuple[str, str]], content: bytes
) -> tuple[int, bytes]:
    encoded = [(name, value.encode("utf-8", "surrogateescape")) for name, value in headers]
    body = bytearray()
    try:
        async with client.stream(
            "POST",
            path,
            headers=[(name.encode(), value) for name, value in encoded],
            content=content,
        ) as response:
            async for block in response.aiter_raw():
                body += block
                if len(body) > ANSWER_LIMIT:
                    raise FilterError("its answer is too long")
            return response.status_code, bytes(body)
    except httpx.ConnectError as error:
        raise ConnectionRefusedError(str(error)) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FilterError(f"{type(error).__name__} {error}".strip()) from error
