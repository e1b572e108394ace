"""DKIM verification of all signatures of a message. RFC 6376 §6, RFC 8301, RFC 8463.

dkimpy's own verifier looks at one signature and computes with any key; this one shares its hashes and bounds its keys.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from accounts.addresses import AddressSyntaxError, canonical_domain
from accounts.mailstore.headers import Field
from routing.evidence import DkimEvidence, DkimWord
from transport.authentication.keys import KEY_TYPES, Unusable, find_keys
from transport.authentication.look_up import LookUp
from transport.authentication.signed_message import SignedMessage
from transport.authentication.tag_lists import (
    TagListError,
    decode_base64,
    parse_tags,
    without_white_space,
)

SIGNATURES_MAXIMUM = 10  # from the top; more are not looked at
NAMES_MAXIMUM = 500  # in h=
FIELD_OCTETS_MAXIMUM = 16_384  # of a signature
LARGE_OCTETS = 200_000  # hashing more is a thread's work
CLOCK_SKEW_SECONDS = 24 * 3600  # a signature from further in the future is not believed

_SELECTOR = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\Z")
_NUMBER = re.compile(r"[0-9]{1,76}\Z")
_FORMS = ("simple", "relaxed")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a DKIM-Signature, or an ARC-Message-Signature, says. `length` is l=, times are seconds since 1970."""

    field: Field
    algorithm: str
    domain: str
    selector: str
    names: tuple[str, ...]
    header_form: str
    body_form: str
    body_hash: bytes
    signature: bytes
    length: int | None = None
    signed_at: int | None = None
    expires_at: int | None = None
    identity_domain: str = ""


async def verify_dkim(content: bytes, look_up: LookUp) -> tuple[DkimEvidence, ...]:
    """The evidence of each signature, from the top. Never raises for what a message or DNS holds."""
    message = await _in_thread_if_large(content, lambda: SignedMessage(content))
    found = message.of_name(b"dkim-signature")[:SIGNATURES_MAXIMUM]
    return tuple(await asyncio.gather(*(_verify(message, field, look_up) for field in found)))


async def _verify(message: SignedMessage, field: Field, look_up: LookUp) -> DkimEvidence:
    tags: dict[str, str] = {}
    try:
        tags = signature_tags(field)
        if tags.get("v") != "1":
            raise Unusable("permerror", "another version")
        signature = read_signature(field, tags)
        is_testing = await verify_signature(message, signature, look_up)
        return _evidence("pass", tags, is_testing=is_testing)
    except Unusable as error:
        return _evidence(error.word, tags, error.reason)


def signature_tags(field: Field) -> dict[str, str]:
    """The tags of a signature's field. Raises Unusable."""
    if len(field.value) > FIELD_OCTETS_MAXIMUM:
        raise Unusable("permerror", "the signature is too large")
    try:
        return parse_tags(field.value.decode("utf-8", "replace"))
    except TagListError as error:
        raise Unusable("permerror", f"broken signature: {error}") from None


def read_signature(field: Field, tags: dict[str, str], *, is_arc: bool = False) -> Signature:
    """What its tags say (§3.5, §6.1.1). Raises Unusable.

    ARC's have their instance in i= (RFC 8617 §4.1.2); what the suite of its authors has otherwise: the form is relaxed
    where no c= says it, and h= may be empty.
    """
    for name in ("a", "b", "bh", "d", "s"):
        if not tags.get(name):
            raise Unusable("permerror", f"no {name}=")
    if "h" not in tags:
        raise Unusable("permerror", "no h=")
    names = tuple(name for name in without_white_space(tags["h"]).split(":") if name)
    if len(names) > NAMES_MAXIMUM:
        raise Unusable("permerror", "too many names in h=")
    if not is_arc and "from" not in map(str.lower, names):
        raise Unusable("permerror", "From is not signed")
    domain = checked_domain(tags["d"])
    default_form = "relaxed/relaxed" if is_arc else "simple"
    header_form, _, body_form = tags.get("c", default_form).partition("/")
    if header_form not in _FORMS or (body_form or "simple") not in _FORMS:
        raise Unusable("permerror", "an unknown c=")
    if "q" in tags and "dns/txt" not in without_white_space(tags["q"]).split(":"):
        raise Unusable("permerror", "an unknown q=")
    identity_domain = domain
    if not is_arc and "i" in tags:
        identity_domain = checked_domain(tags["i"].rpartition("@")[2])
        if identity_domain != domain and not identity_domain.endswith(f".{domain}"):
            raise Unusable("permerror", "i= is not of d=")
    signed_at, expires_at = _number(tags, "t"), _number(tags, "x")
    if signed_at is not None and expires_at is not None and expires_at <= signed_at:
        raise Unusable("permerror", "expired before it was signed")
    try:
        return Signature(
            field=field,
            algorithm=checked_algorithm(tags["a"]),
            domain=domain,
            selector=checked_selector(tags["s"]),
            names=names,
            header_form=header_form,
            body_form=body_form or "simple",
            body_hash=decode_base64(tags["bh"]),
            signature=decode_base64(tags["b"]),
            length=_number(tags, "l"),
            signed_at=signed_at,
            expires_at=expires_at,
            identity_domain=identity_domain,
        )
    except TagListError as error:
        raise Unusable("permerror", str(error)) from None


async def verify_signature(message: SignedMessage, signature: Signature, look_up: LookUp) -> bool:
    """Whether a signature that verifies is only a test (t=y). Raises Unusable when it does not verify.

    The body is looked at first: a changed one costs no look-up.
    """
    if message.has_too_many_fields:
        raise Unusable("policy", "the header has too many fields")
    now = time.time()
    if signature.expires_at is not None and signature.expires_at < now:
        raise Unusable("policy", "the signature has expired")
    if signature.signed_at is not None and signature.signed_at > now + CLOCK_SKEW_SECONDS:
        raise Unusable("policy", "the signature is of the future")
    body_hash, body_size = await _in_thread_if_large(
        message.content, lambda: message.body(signature.body_form)
    )
    if signature.length is not None and signature.length != body_size:
        raise Unusable("policy", "part of the body is not signed")  # §8.2: anyone can add to it
    if body_hash != signature.body_hash:
        raise Unusable("fail", "body hash mismatch")
    keys = await find_keys(signature.selector, signature.domain, signature.algorithm, look_up)
    digest = await _in_thread_if_large(
        message.content,
        lambda: message.header_hash(signature.header_form, signature.names, signature.field),
    )
    for key in keys:
        if key.is_strict and signature.identity_domain != signature.domain:
            raise Unusable("permerror", "i= is not d= itself")
        if key.verifies(signature.signature, digest):
            return key.is_testing
    raise Unusable("fail", "signature mismatch")


def checked_algorithm(text: str) -> str:
    """a=, one that counts. Raises Unusable."""
    algorithm = text.lower()
    if algorithm == "rsa-sha1":
        raise Unusable("permerror", "rsa-sha1 is historic")  # RFC 8301 §3.1
    if algorithm not in KEY_TYPES:
        raise Unusable("permerror", "an unknown algorithm")
    return algorithm


def checked_domain(text: str) -> str:
    """d=, in A-labels (RFC 8616 §5). Raises Unusable."""
    try:
        return canonical_domain(text)
    except AddressSyntaxError:
        raise Unusable("permerror", "broken domain") from None


def checked_selector(text: str) -> str:
    """s=, as it stands before `._domainkey`. Raises Unusable."""
    if len(text) > 190 or not _SELECTOR.match(text):
        raise Unusable("permerror", "broken selector")
    return text


def _number(tags: dict[str, str], name: str) -> int | None:
    if name not in tags:
        return None
    if not _NUMBER.match(tags[name]):
        raise Unusable("permerror", f"{name}= is no number")
    return int(tags[name])


def _evidence(
    word: DkimWord, tags: dict[str, str], reason: str = "", *, is_testing: bool = False
) -> DkimEvidence:
    try:
        domain = checked_domain(tags.get("d", ""))
    except Unusable:
        domain = ""
    return DkimEvidence(
        word,
        domain=domain,
        selector=tags.get("s", "") if _SELECTOR.match(tags.get("s", "")) else "",
        algorithm=tags.get("a", "").lower() if tags.get("a", "").lower() in KEY_TYPES else "",
        tag_b=without_white_space(tags.get("b", ""))[:8],
        is_testing=is_testing,
        reason=reason,
    )


async def _in_thread_if_large(content: bytes, work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if len(content) > LARGE_OCTETS else work()
