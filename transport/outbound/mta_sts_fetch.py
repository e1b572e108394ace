"""Fetches a domain's MTA-STS policy over HTTPS (RFC 8461 §3.3): certificate verified, no redirects, bounded in time and size."""

import asyncio

import httpx

from transport.dns.resolver import Resolver
from transport.outbound.exchanges import Exchange, addresses_of
from transport.outbound.mta_sts import PolicyError, StsPolicy, parse_policy
from transport.outbound.tls import TlsPolicy, client_context

POLICY_MAXIMUM = 65_536  # octets
FETCH_SECONDS = 30.0  # over all addresses; RFC 8461 §3.3 proposes a minute, but mail waits for this
PATH = "/.well-known/mta-sts.txt"


class FetchFailed(Exception):
    """No policy could be fetched; the message says why."""


def fetch_policy(
    resolver: Resolver,
    domain: str,
    *,
    port: int = 443,
    ca_file: str = "",
    seconds: float = FETCH_SECONDS,
) -> StsPolicy:
    """The policy of a domain in A-labels; blocks for at most `seconds`, and DNS's time. Raises FetchFailed."""
    host = f"mta-sts.{domain}"
    addresses = [one for one in addresses_of(resolver, Exchange(host)) if isinstance(one, str)]
    try:
        return parse_policy(asyncio.run(_fetch(host, addresses, port, ca_file, seconds)))
    except PolicyError as error:
        raise FetchFailed(str(error)) from None
    except TimeoutError:
        raise FetchFailed(f"{host} gave no policy in {seconds:g} s") from None


async def _fetch(host: str, addresses: list[str], port: int, ca_file: str, seconds: float) -> bytes:
    failure = FetchFailed(f"{host} has no address")
    context = client_context(TlsPolicy.STARTTLS, ca_file)
    async with (
        asyncio.timeout(seconds),
        httpx.AsyncClient(verify=context, trust_env=False, timeout=seconds) as client,
    ):
        for address in addresses:
            try:
                return await _get(client, host, address, port)
            except (httpx.HTTPError, OSError) as error:
                failure = FetchFailed(f"{host}: {error or type(error).__name__}")
    raise failure


async def _get(client: httpx.AsyncClient, host: str, address: str, port: int) -> bytes:
    """Ask one address; the certificate has to be the host's. Raises httpx.HTTPError, FetchFailed."""
    place = f"[{address}]" if ":" in address else address
    async with client.stream(
        "GET",
        f"https://{place}:{port}{PATH}",
        headers={"Host": host, "Accept-Encoding": "identity"},
        extensions={"sni_hostname": host},
    ) as response:
        if response.status_code != 200:  # a redirect must not be followed, RFC 8461 §3.3
            raise FetchFailed(f"{host} answered {response.status_code}")
        media_type = response.headers.get("Content-Type", "").partition(";")[0]
        if media_type.strip().lower() != "text/plain":
            raise FetchFailed(f"{host} sent no text/plain")
        content = bytearray()
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > POLICY_MAXIMUM:
                raise FetchFailed(f"{host} sent more than {POLICY_MAXIMUM} octets")
    return bytes(content)
