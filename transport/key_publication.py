"""Looks whether the records of signing keys stand in DNS (RFC 6376 §3.6.1). A service for a worker and for the admin."""

import asyncio
from base64 import b64decode
from collections.abc import Sequence

from transport.authentication.keys import RECORDS_MAXIMUM, Unusable, parse_key
from transport.authentication.look_up import LookUp
from transport.authentication.tag_lists import TagListError, decode_base64, parse_tags
from transport.database_threads import Connection
from transport.dns.resolver import Status

KEYS_AT_ONCE = 50

_KEYS = """
SELECT k.id, k.selector || '._domainkey.' || d.name, k.algorithm, k.public_key
FROM transport_dkimkey k JOIN accounts_domain d ON d.id = k.domain_id
WHERE k.is_active AND (%(keys)s::bigint[] IS NULL OR k.id = ANY(%(keys)s)) ORDER BY k.id
"""
_NOTE = """
UPDATE transport_dkimkey k SET record = n.record, checked_at = now()
FROM unnest(%s::bigint[], %s::text[]) n (id, record) WHERE k.id = n.id
"""


def check_publication(db: Connection, look_up: LookUp, keys: Sequence[int] | None = None) -> None:
    """Note what DNS has of each active key, or of these ids; where DNS does not answer now, it stays as it was."""
    rows = db.execute(_KEYS, {"keys": None if keys is None else list(keys)}).fetchall()
    for start in range(0, len(rows), KEYS_AT_ONCE):
        batch = rows[start : start + KEYS_AT_ONCE]
        states = asyncio.run(_states([row[1:] for row in batch], look_up))
        known = [(row[0], state) for row, state in zip(batch, states, strict=True) if state]
        db.execute(_NOTE, ([id_ for id_, _ in known], [state for _, state in known]))


async def _states(keys: Sequence[tuple[str, str, str]], look_up: LookUp) -> list[str]:
    return await asyncio.gather(*(_state(*key, look_up) for key in keys))


async def _state(name: str, algorithm: str, public_key: str, look_up: LookUp) -> str:
    """published, differs or missing; "" where DNS has no answer now."""
    answer = await look_up(name, "TXT")
    if answer.status is Status.FAILED:
        return ""
    texts = answer.texts[:RECORDS_MAXIMUM]
    if not texts:
        return "missing"
    return (
        "published" if any(_is_ours(text, algorithm, public_key) for text in texts) else "differs"
    )


def _is_ours(text: bytes, algorithm: str, public_key: str) -> bool:
    """Whether a verifier can use the record, and finds our key in it."""
    try:
        parse_key(text, algorithm)
        tags = parse_tags(text.decode("utf-8", "replace"))
        return decode_base64(tags["p"]) == b64decode(public_key)
    except (Unusable, TagListError):
        return False
