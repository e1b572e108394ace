"""SPF (RFC 7208): pyspf evaluates, our resolver looks up. Synchronous; call it in a thread."""

from dataclasses import dataclass
from typing import Any

import spf

from transport.dns.resolver import Status, resolver

QUERY_SECONDS = 20  # RFC 7208 §4.6.4


@dataclass(frozen=True, slots=True)
class SpfVerdict:
    """`result` is of RFC 7208 §2.6: pass, fail, softfail, neutral, none, temperror, permerror."""

    result: str
    explanation: str = ""


def check_spf(client_address: str, sender: str, helo: str, hostname: str) -> SpfVerdict:
    """What the sender's domain says of this client. `sender` is `local@domain`; `hostname` our own name."""
    result, explanation = spf.check2(
        i=client_address,
        s=sender,
        h=helo,
        receiver=hostname,
        querytime=QUERY_SECONDS,
    )
    return SpfVerdict(result, explanation)


def _look_up(
    name: str, record_type: str, strict: bool = True, timeout: float = QUERY_SECONDS
) -> list[tuple[tuple[str, str], Any]]:
    """pyspf's DNS driver: ((name, type), value) for each record; TempError when there was no usable answer."""
    answer = resolver().look_up(name, record_type)
    if answer.status is Status.FAILED:
        raise spf.TempError(f"DNS {answer.reason}")
    return [((name, record_type), _value(record_type, record)) for record in answer.records]


def _value(record_type: str, record: Any) -> Any:
    match record_type:
        case "A" | "AAAA":
            return record.address
        case "MX":
            return record.preference, record.exchange.to_text(True)
        case "PTR" | "CNAME":
            return record.target.to_text(True)
        case _:
            return record.strings


spf.DNSLookup = _look_up
