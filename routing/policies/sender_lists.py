"""The administrator's lists of senders, searched in time that does not grow with their length. Pure.

An entry is an address or a network of clients, a domain with its subdomains, or a sender's address.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from accounts.addresses import Address, AddressSyntaxError, canonical_domain, parse_address

ListKind = Literal["block", "allow"]
EntryKind = Literal["network", "domain", "address"]


@dataclass(frozen=True, slots=True)
class ListedSender:
    """One entry. `value` is its canonical text."""

    id: int
    kind: ListKind
    value: str
    reason: str = ""

    @property
    def names_client(self) -> bool:
        """A client is known by its address; who a sender is, has to be proven."""
        return kind_of(self.value) == "network"


def canonical_entry(text: str) -> str:
    """The text as it is kept and compared. Raises ValueError, which says what it may be."""
    text = text.strip()
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        pass
    try:
        if "@" in text.removeprefix("@"):
            local_part, domain = parse_address(text).key
            return f"{local_part}@{domain}"
        domain = canonical_domain(text.removeprefix("@").removeprefix("*.").removeprefix("."))
        if "." in domain and not domain.rpartition(".")[2].isdigit():
            return domain
    except AddressSyntaxError:
        pass
    raise ValueError(
        "neither an IP address, a network such as 192.0.2.0/24, a domain nor a mail address"
    )


def kind_of(value: str) -> EntryKind:
    """What a canonical entry is."""
    return (
        "network" if "/" in value and "@" not in value else "address" if "@" in value else "domain"
    )


class SenderLists:
    """An index of entries, made once and then only read."""

    def __init__(self, entries: Iterable[ListedSender] = ()) -> None:
        self._networks: dict[tuple[int, int], dict[int, list[ListedSender]]] = {}
        self._names: dict[str, list[ListedSender]] = {}
        for entry in entries:
            if kind_of(entry.value) != "network":
                self._names.setdefault(entry.value, []).append(entry)
                continue
            try:
                network = ipaddress.ip_network(entry.value)
            except ValueError:  # written past the form
                continue
            key = (network.version, network.prefixlen)
            known = self._networks.setdefault(key, {})
            known.setdefault(int(network.network_address), []).append(entry)

    @property
    def names_senders(self) -> bool:
        """Whether there is an entry that is no client's address."""
        return bool(self._names)

    def find(self, client_address: str, reverse_path: Address | None) -> list[ListedSender]:
        """The entries that a client or its reverse-path matches: clients first, then the narrower ones."""
        return [*self._of_client(client_address), *self._of_sender(reverse_path)]

    def allowed(self, sender: Address) -> Iterator[ListedSender]:
        """The entries of the allow list that name a sender."""
        return (entry for entry in self._of_sender(sender) if entry.kind == "allow")

    def _of_client(self, client_address: str) -> Iterator[ListedSender]:
        address = ipaddress.ip_address(client_address)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        for (version, length), known in sorted(self._networks.items(), reverse=True):
            if version == address.version:
                shift = address.max_prefixlen - length
                yield from known.get(int(address) >> shift << shift, ())

    def _of_sender(self, reverse_path: Address | None) -> Iterator[ListedSender]:
        if reverse_path is None:
            return
        local_part, domain = reverse_path.key
        yield from self._names.get(f"{local_part}@{domain}", ())
        while domain:
            yield from self._names.get(domain, ())
            domain = domain.partition(".")[2]
