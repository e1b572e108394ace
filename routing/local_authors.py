"""Whether mail from outside that names an author of ours may be from that author. Pure.

What DNS asks for does not matter here: our users' mail leaves by this server, signed. It comes back through lists and
forwarders; a list says that it is one, and itself passes SPF or DKIM.
"""

from collections.abc import Iterable

from routing.evidence import Authentication

LIST_FIELDS = frozenset({b"list-id", b"list-post"})  # RFC 2919, RFC 2369
_IN_DOUBT = ("pass", "temperror")


def unproven_authors(
    author_domains: Iterable[str], authentication: Authentication
) -> tuple[str, ...]:
    """The domains of authors that no signature and no SPF pass speaks for, nor might have without DNS's trouble."""
    proven = [one.domain.lower() for one in authentication.dkim if one.result in _IN_DOUBT]
    if authentication.spf.result in _IN_DOUBT:
        proven.append(authentication.spf.domain.lower())
    return tuple(
        domain
        for domain in author_domains
        if not any(_is_related(domain, other) for other in proven)
    )


def is_from_list(field_names: Iterable[bytes], authentication: Authentication) -> bool:
    """Whether the message bears the sign of a list (names in lower case) and somebody answers for it."""
    has_passed = authentication.spf.result == "pass" or any(
        one.result == "pass" for one in authentication.dkim
    )
    return has_passed and not LIST_FIELDS.isdisjoint(field_names)


def _is_related(domain: str, other: str) -> bool:
    """The same domain, or one below the other."""
    return domain == other or domain.endswith(f".{other}") or other.endswith(f".{domain}")
