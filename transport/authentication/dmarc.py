"""DMARC: whether what passed speaks for the author, and what the owner of the author's domain asks for. RFC 9989 §5.3.

`pct` is of the past: a receiver does not throw dice (§A.6). `t=y` asks that the policy is not applied.
"""

import re
from collections.abc import Iterable, Iterator

from accounts.addresses import Address, AddressSyntaxError, canonical_domain
from accounts.mailstore.headers import HeaderAddress, fields, header_end, parse_addresses
from routing.evidence import DkimEvidence, DmarcEvidence, DmarcWord, PolicyWord, SpfEvidence
from transport.authentication.dmarc_records import DnsTrouble, Record, Tree
from transport.authentication.look_up import LookUp

AUTHORS_MAXIMUM = 5  # domains of authors; nobody who writes mail has more

_FROM = re.compile(rb"^from[ \t]*:", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(rb"^[!-9;-~]+[ \t]*:", re.MULTILINE)
_FOLDED = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*+")
_STRICTNESS: dict[PolicyWord, int] = {"none": 0, "quarantine": 1, "reject": 2}
_WEIGHT: dict[DmarcWord, int] = {"fail": 4, "temperror": 3, "permerror": 2, "none": 1, "pass": 0}


def author_domains(content: bytes) -> tuple[str, ...]:
    """The domains of all authors in all From fields, each once, as A-labels, in their order (§5.3.1).

    A domain that is none stands as it was written: nothing can pass for it. More than AUTHORS_MAXIMUM are not looked for,
    but any number of fields is looked through: a From behind them is an author's as well.
    """
    found: dict[str, None] = {}
    end = header_end(content)
    for match in _FROM.finditer(content, 0, end):
        following = _FIELD.search(content, match.end(), end)
        whole = content[match.end() : following.start() if following else end]
        folded = _FOLDED.match(whole)
        assert folded is not None
        # A line that is no field ends the field for some readers, and for others it belongs to it.
        for value in dict.fromkeys((folded[0].rstrip(), whole.rstrip())):
            for address in parse_addresses(value):
                if address.domain or address.local_part:
                    found |= dict.fromkeys(map(_canonical, _domains(address, value)))
        if len(found) > AUTHORS_MAXIMUM:
            break
    return tuple(found)


def only_author(content: bytes) -> Address | None:
    """The author of a message that has one, in one From field; None for others."""
    found = [field.value for field in fields(content) if field.name == b"from"]
    addresses = parse_addresses(found[0]) if len(found) == 1 else []
    if len(addresses) != 1 or len(author_domains(content)) != 1:
        return None
    local_part, domain = addresses[0].local_part, addresses[0].domain
    return Address(local_part, _canonical(domain)) if local_part and domain else None


def _domains(address: HeaderAddress, value: bytes) -> Iterator[str]:
    """The domain of an address. Of several without brackets or commas, any may be the one that a reader is shown."""
    yield address.domain
    if "@" in address.display:
        bracketed = f"<{address.local_part}@{address.domain}".encode("utf-8", "surrogateescape")
        if bracketed not in value:
            yield from (word.rpartition("@")[2] for word in address.display.split() if "@" in word)


def _canonical(domain: str) -> str:
    try:
        return canonical_domain(domain)
    except AddressSyntaxError:
        return domain.lower()


async def evaluate_dmarc(
    author_domains: tuple[str, ...],
    spf: SpfEvidence,
    dkim: Iterable[DkimEvidence],
    look_up: LookUp,
) -> DmarcEvidence:
    """The evidence for the author; of several, for the one who is worst off (RFC 7489 §6.6.1). Never raises for DNS."""
    if not author_domains:
        return DmarcEvidence("none", reason="no author")
    if len(author_domains) > AUTHORS_MAXIMUM:
        return DmarcEvidence(
            "permerror", author_domains[0], policy="quarantine", reason="too many authors"
        )
    tree = Tree(look_up)
    signatures = tuple(dkim)
    found = [await _evaluate(domain, spf, signatures, tree) for domain in author_domains]
    return max(found, key=lambda one: (_WEIGHT[one.result], _STRICTNESS[one.policy]))


async def _evaluate(
    author: str, spf: SpfEvidence, dkim: tuple[DkimEvidence, ...], tree: Tree
) -> DmarcEvidence:
    if not _is_domain(author):
        return DmarcEvidence("permerror", author, reason="the author's domain is none")
    try:
        record = await tree.policy_record(author)
        if record is None:
            return DmarcEvidence("none", author, reason="no record")
        if record.is_broken:
            return DmarcEvidence(
                "permerror", author, record_domain=record.domain, reason="broken record"
            )
        return await _align(author, record, spf, dkim, tree)
    except DnsTrouble as error:
        return DmarcEvidence("temperror", author, reason=str(error))


async def _align(
    author: str,
    record: Record,
    spf: SpfEvidence,
    dkim: tuple[DkimEvidence, ...],
    tree: Tree,
) -> DmarcEvidence:
    """§4.4. A domain whose check had trouble with DNS might have passed: then the whole is temperror, not a fail."""
    aligned: list[str] = []
    trouble = "SPF is not known" if spf.result == "temperror" and not spf.domain else ""
    candidates: list[tuple[str, str, str, bool]]
    candidates = [("spf", spf.domain, spf.result, record.is_strict_spf)]
    candidates += [("dkim", one.domain, one.result, record.is_strict_dkim) for one in dkim]
    for method, domain, result, is_strict in dict.fromkeys(candidates):
        if result not in ("pass", "temperror") or not domain or method in aligned:
            continue
        try:
            if not await _is_aligned(author, _canonical(domain), is_strict, tree):
                continue
        except DnsTrouble as error:
            trouble = str(error)
            continue
        if result == "pass":
            aligned.append(method)
        else:
            trouble = f"{method} of {domain} could not be checked"
    if aligned:
        return DmarcEvidence(
            "pass", author, await _policy(author, record, tree, is_needed=False), record.domain,
            tuple(aligned),
        )  # fmt: skip
    if trouble:
        return DmarcEvidence("temperror", author, record_domain=record.domain, reason=trouble)
    policy = await _policy(author, record, tree, is_needed=True)
    return DmarcEvidence("fail", author, policy, record.domain, is_test=record.is_test)


async def _is_aligned(author: str, domain: str, is_strict: bool, tree: Tree) -> bool:
    """Whether the domain speaks for the author's: the same one, or (relaxed) one of the same organization."""
    if domain == author:
        return True
    if is_strict or domain.rpartition(".")[2] != author.rpartition(".")[2]:
        return False
    organization = await tree.organizational_domain(author)
    if domain != organization and not domain.endswith(f".{organization}"):
        return False
    return await tree.organizational_domain(domain) == organization


async def _policy(author: str, record: Record, tree: Tree, *, is_needed: bool) -> PolicyWord:
    """What the owner asks for: p=, or for a name below it sp= or, when that does not exist, np= (§4.10.1).

    Where it makes no difference (the message passed), DNS is not asked for it.
    """
    if record.is_test:
        return "none"
    if record.domain == author:
        return record.policy
    if record.missing == record.subdomains or not is_needed:
        return record.subdomains
    return record.subdomains if await tree.exists(author) else record.missing


def _is_domain(text: str) -> bool:
    try:
        return canonical_domain(text) == text and len(text) <= 253
    except AddressSyntaxError:
        return False
