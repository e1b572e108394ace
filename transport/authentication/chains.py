"""Verification of an Authenticated Received Chain. RFC 8617 §5.2.

Every failure is final, trouble with DNS too (§5.2.1). Work is bounded by 50 sets, one body hash and one pass of the
header's ARC fields: what seals cover is hashed on from seal to seal.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass

from accounts.mailstore.headers import Field, unfold
from routing.evidence import ArcEvidence, ArcSet
from transport.authentication.keys import Unusable, find_keys
from transport.authentication.look_up import LookUp
from transport.authentication.signatures import (
    checked_algorithm,
    checked_domain,
    checked_selector,
    read_signature,
    signature_tags,
    verify_signature,
)
from transport.authentication.signed_message import SignedMessage
from transport.authentication.tag_lists import TagListError, decode_base64

SETS_MAXIMUM = 50
_INSTANCE = re.compile(r"[0-9]{1,2}\Z")
_RESULTS = re.compile(rb"\s*i\s*=\s*([0-9]{1,2})\s*;")
_NUMBER = re.compile(r"[0-9]{1,12}\Z")


@dataclass(frozen=True, slots=True)
class Seal:
    """What an ARC-Seal says (§4.1.3)."""

    field: Field
    instance: int
    algorithm: str
    domain: str
    selector: str
    signature: bytes
    chain: str


@dataclass(frozen=True, slots=True)
class SealedSet:
    """One instance: its three fields."""

    results: Field
    message_signature: Field
    message_tags: dict[str, str]
    seal: Seal


async def verify_arc(content: bytes, look_up: LookUp) -> ArcEvidence:
    """What the chain is worth, and what its sealers said. Never raises for what a message or DNS holds."""
    message = SignedMessage(content)
    try:
        chain = read_chain(message)
        if not chain:
            return ArcEvidence("none")
        newest = chain[-1]
        signature = read_signature(newest.message_signature, newest.message_tags, is_arc=True)
        names = {name.lower() for name in signature.names}
        if "arc-seal" in names:
            raise Unusable("fail", "an ARC-Message-Signature over ARC-Seal")
        await verify_signature(message, signature, look_up)
        await _verify_seals(message, chain, look_up)
    except Unusable as error:
        return ArcEvidence("fail", reason=error.reason)
    return ArcEvidence(
        "pass",
        covers_author="from" in names,
        sets=tuple(
            ArcSet(one.seal.instance, one.seal.domain, _said(one.results)) for one in chain[::-1]
        ),
    )


def read_chain(message: SignedMessage) -> list[SealedSet]:
    """The sets in the order of their instances; none is no chain. Raises Unusable when they are no chain (step 1 to 3)."""
    seal_fields = message.of_name(b"arc-seal")
    signature_fields = message.of_name(b"arc-message-signature")
    result_fields = message.of_name(b"arc-authentication-results")
    count = len(seal_fields)
    if not (seal_fields or signature_fields or result_fields):
        return []
    if not count == len(signature_fields) == len(result_fields):
        raise Unusable("fail", "an incomplete ARC set")
    if count > SETS_MAXIMUM:
        raise Unusable("fail", "too many ARC sets")
    seals = {seal.instance: seal for seal in map(_seal, seal_fields)}
    results = {_instance_of_results(field): field for field in result_fields}
    signatures = {}
    for field in signature_fields:
        tags = signature_tags(field)
        signatures[_instance(tags)] = (field, tags)
    instances = list(range(1, count + 1))
    if not sorted(seals) == sorted(results) == sorted(signatures) == instances:
        raise Unusable("fail", "the instances of the ARC sets are no sequence")
    for instance in instances:
        if seals[instance].chain != ("none" if instance == 1 else "pass"):
            raise Unusable("fail", f"ARC set {instance} says cv={seals[instance].chain}")
    return [
        SealedSet(results[instance], *signatures[instance], seals[instance])
        for instance in instances
    ]


async def _verify_seals(message: SignedMessage, chain: list[SealedSet], look_up: LookUp) -> None:
    """Step 6: each seal is over all sets up to its own (§5.1.1). Raises Unusable."""
    found = await asyncio.gather(
        *(
            find_keys(one.seal.selector, one.seal.domain, one.seal.algorithm, look_up)
            for one in chain
        )
    )
    hasher = hashlib.sha256()
    for one, keys in zip(chain, found, strict=True):
        hasher.update(message.canonical("relaxed", one.results))
        hasher.update(message.canonical("relaxed", one.message_signature))
        covered = hasher.copy()
        covered.update(message.unsigned("relaxed", one.seal.field))
        if not any(key.verifies(one.seal.signature, covered.digest()) for key in keys):
            raise Unusable("fail", f"seal {one.seal.instance} does not verify")
        hasher.update(message.canonical("relaxed", one.seal.field))


def _seal(field: Field) -> Seal:
    tags = signature_tags(field)
    if "h" in tags:
        raise Unusable("fail", "a seal with h=")
    for name in ("a", "b", "cv", "d", "s"):
        if not tags.get(name):
            raise Unusable("fail", f"a seal without {name}=")
    if "t" in tags and not _NUMBER.match(tags["t"]):
        raise Unusable("fail", "t= is no number")
    try:
        signature = decode_base64(tags["b"])
    except TagListError as error:
        raise Unusable("fail", str(error)) from None
    return Seal(
        field,
        _instance(tags),
        checked_algorithm(tags["a"]),
        checked_domain(tags["d"]),
        checked_selector(tags["s"]),
        signature,
        tags["cv"].lower(),
    )


def _instance(tags: dict[str, str]) -> int:
    if not _INSTANCE.match(tags.get("i", "")):
        raise Unusable("fail", "an ARC field without an instance")
    return int(tags["i"])


def _instance_of_results(field: Field) -> int:
    found = _RESULTS.match(field.value)
    if found is None:
        raise Unusable("fail", "an ARC field without an instance")
    return int(found[1])


def _said(field: Field) -> str:
    """The results, without the instance before them."""
    return unfold(field.value).decode("utf-8", "replace").partition(";")[2].strip()
