"""A zone in memory as a `LookUp`: what a test's DNS says, and what it was asked."""

import asyncio
from collections.abc import Mapping, Sequence

import dns.rdata

from transport.dns.resolver import Answer, Status

ALIASES_MAXIMUM = 8
Records = Mapping[str, Mapping[str, Sequence[str]]]


class Zone:
    """Records in zone-file form by name and type. A name in `silent` never answers, one in `broken` is SERVFAIL."""

    def __init__(
        self, records: Records, *, broken: Sequence[str] = (), silent: Sequence[str] = ()
    ) -> None:
        self.records = {name.lower().rstrip("."): types for name, types in records.items()}
        self.broken = set(broken)
        self.silent = set(silent)
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, name: str, record_type: str) -> Answer:
        self.asked.append((name, record_type))
        key = name.lower().rstrip(".")
        if key in self.silent:
            await asyncio.Event().wait()
        for _ in range(ALIASES_MAXIMUM):
            if key in self.broken:
                return Answer(Status.FAILED, reason="SERVFAIL")
            if key not in self.records:
                below = any(known.endswith(f".{key}") for known in self.records)
                return Answer(Status.NO_DATA if below else Status.NO_NAME)
            values = self.records[key].get(record_type, ())
            aliases = self.records[key].get("CNAME", ())
            if values or not aliases:
                break
            key = aliases[0].lower().rstrip(".")
        if not values:
            return Answer(Status.NO_DATA)
        return Answer(
            Status.FOUND,
            tuple(dns.rdata.from_text("IN", record_type, value) for value in values),
        )


def text(value: str) -> str:
    """A TXT record of one value, cut into strings of at most 255 octets."""
    return " ".join(f'"{value[i : i + 255]}"' for i in range(0, len(value), 255))
