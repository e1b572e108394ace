"""What a login submits: whose words they may be (RFC 6409 §6.1), and what is added, taken out and signed (§8)."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from accounts.addresses import AddressSyntaxError, canonical_domain
from accounts.directory import guarded_domains, owned_addresses
from accounts.entries import Login, OwnedAddresses
from routing.senders import Forgery, check_authors
from transport.authentication.results_field import without_forged
from transport.database_threads import Connection
from transport.smtp.submitted_header import SubmittedHeader, complete_header, read_header


@dataclass(frozen=True, slots=True)
class Submitted:
    """The message as it goes on, and the domain that signs it."""

    content: bytes
    sign_as: str


def complete_submission(
    db: Connection, login: Login, content: bytes, *, trace_id: str, hostname: str, now: datetime
) -> Submitted | str:
    """The message completed, or its refusal. One round trip; two for an app whose domain leaves From unchecked."""
    content = without_forged(content, hostname)
    header = read_header(content)
    if header.is_malformed:
        return "550 5.6.0 the header is malformed or too long"
    owned = owned_addresses(db, login)
    authors = header.authors
    guarded = guarded_domains(db, authors.domains) if owned.from_unchecked else frozenset()
    forgery = check_authors(owned, authors, guarded)
    if forgery is None and not header.has_clear_authors:
        forgery = Forgery.UNCLEAR
    author = (login.display_name, login.address) if login.kind == "app" else None
    if forgery is Forgery.NO_FROM and author is not None and not header.has(b"from"):
        forgery = None  # an app's own address is put there
    if forgery is not None:
        return f"550 5.7.1 {forgery.value}"
    completed = complete_header(
        header, now, lambda: f"{trace_id}@{login.domain_name}", author=author
    )
    return Submitted(completed, _signing_domain(header, owned, login))


def _signing_domain(header: SubmittedHeader, owned: OwnedAddresses, login: Login) -> str:
    """The author's domain where it is the login's own, so that the signature aligns (RFC 7489 §3.1); else the login's.

    An app whose From is not checked may name an author of another domain of ours: that domain does not sign for it.
    """
    authors = [address for field in header.addresses(b"from") for address in field]
    if len(authors) == 1:
        with suppress(AddressSyntaxError):
            domain = canonical_domain(authors[0].domain)
            if any(domain == own for _, own in owned.keys):
                return domain
    return login.domain_name
