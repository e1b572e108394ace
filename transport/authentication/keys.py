"""Public keys as DNS publishes them, and what they verify. RFC 6376 §3.6.1, RFC 8301, RFC 8463."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from routing.evidence import DkimWord
from transport.authentication.look_up import LookUp
from transport.authentication.tag_lists import (
    TagListError,
    decode_base64,
    parse_tags,
    without_white_space,
)
from transport.dns.resolver import Status

RSA_BITS_MINIMUM = 1024  # RFC 8301 §3.2
RSA_BITS_MAXIMUM = 4096
EXPONENT_MAXIMUM = 1 << 32  # a larger one costs seconds
KEY_OCTETS_MAXIMUM = 1100  # DER of RSA-4096 with any such exponent has some 550
RECORD_OCTETS_MAXIMUM = 4096
RECORDS_MAXIMUM = (
    3  # several at one name are undefined (§3.6.2.2): the first that are keys are tried
)

KEY_TYPES = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}


class Unusable(Exception):
    """A signature or key that cannot pass: the result's word, and why."""

    def __init__(self, word: DkimWord, reason: str) -> None:
        super().__init__(reason)
        self.word: DkimWord = word
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`is_strict`: i= must have the very domain (t=s); `is_testing`: t=y."""

    key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey
    is_testing: bool = False
    is_strict: bool = False

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Whether `signature` is this key's over a SHA-256 digest (RFC 8463 §3 signs the digest itself)."""
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                prehashed = utils.Prehashed(hashes.SHA256())
                self.key.verify(signature, digest, padding.PKCS1v15(), prehashed)
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


async def find_keys(
    selector: str, domain: str, algorithm: str, look_up: LookUp
) -> tuple[PublicKey, ...]:
    """The keys for signatures of this algorithm. Raises Unusable: temperror when DNS has no answer."""
    answer = await look_up(f"{selector}._domainkey.{domain}", "TXT")
    if answer.status is Status.FAILED:
        raise Unusable("temperror", "the key could not be looked up")
    if not answer.texts:
        raise Unusable("permerror", "no key for signature")
    keys = []
    problem = Unusable("permerror", "no key for signature")
    for text in answer.texts[:RECORDS_MAXIMUM]:
        try:
            keys.append(parse_key(text, algorithm))
        except Unusable as error:
            problem = error
    if not keys:
        raise problem
    return tuple(keys)


def parse_key(record: bytes, algorithm: str) -> PublicKey:
    """The key in a TXT record. Raises Unusable."""
    if len(record) > RECORD_OCTETS_MAXIMUM:
        raise Unusable("permerror", "the key record is too large")
    try:
        tags = parse_tags(record.decode("utf-8", "replace"))
        octets = decode_base64(tags.get("p", ""))
    except TagListError as error:
        raise Unusable("permerror", f"broken key record: {error}") from None
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        raise Unusable("permerror", "a key record of another version")
    if "p" not in tags:
        raise Unusable("permerror", "a record without a key")
    if not octets:
        raise Unusable("permerror", "the key is revoked")
    if tags.get("k", "rsa") != KEY_TYPES[algorithm]:
        raise Unusable("permerror", "the key is of another type")
    if "h" in tags and "sha256" not in _words(tags["h"]):
        raise Unusable("permerror", "the key is not for this hash")
    if not {"*", "email"} & _words(tags.get("s", "*")):
        raise Unusable("permerror", "the key is not for mail")
    flags = _words(tags.get("t", ""))
    return PublicKey(_public_key(octets, algorithm), "y" in flags, "s" in flags)


def _public_key(octets: bytes, algorithm: str) -> rsa.RSAPublicKey | ed25519.Ed25519PublicKey:
    if len(octets) > KEY_OCTETS_MAXIMUM:
        raise Unusable("policy", f"the key has more than {RSA_BITS_MAXIMUM} bits")
    try:
        if algorithm == "ed25519-sha256":
            return ed25519.Ed25519PublicKey.from_public_bytes(octets)
        key = load_der_public_key(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable("permerror", "broken key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Unusable("permerror", "the key is of another type")
    if not RSA_BITS_MINIMUM <= key.key_size <= RSA_BITS_MAXIMUM:
        raise Unusable("policy", f"a key of {key.key_size} bits")
    if key.public_numbers().e > EXPONENT_MAXIMUM:
        raise Unusable("policy", "the key's exponent is too large")
    return key


def _words(value: str) -> set[str]:
    return set(without_white_space(value).split(":"))
