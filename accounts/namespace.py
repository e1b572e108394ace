"""Who has an address already, and what the database's refusals mean, in one line for an administrator."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts.models import Address, Domain


class Conflict(Exception):
    """It exists already, or cannot exist; the message says what and why, in one line."""


# Constraint or trigger of the database → what it means. {what} is what was about to be made.
_MEANINGS = {
    "one_owner_an_address": "the address of {what} is taken",
    "one_user_an_address": "the address of {what} is taken",
    "one_group_a_name": "the address of {what} is taken",
    "one_app_a_name": "an app {what} exists already",
    "one_default_domain": "another domain was made the default at the same time",
    "accounts_domain_name_key": "the domain {what} exists already",
    "canonical_local_part": "{what} is no name for an address",
    "canonical_domain": "{what} is no name of a domain",
    "no_group_loop": "{what} would make the group reach itself",
    "no_group_in_itself": "{what} would make the group reach itself",
    "each_user_once": "{what} is a member already",
    "each_group_once": "{what} is a member already",
    "each_outside_address_once": "{what} is a member already",
    "one_relay_a_domain": "{what} has a relay already",
}


def holder_of(domain: Domain, local_part: str) -> Address | None:
    """The row of the address in the one namespace."""
    return (
        Address.objects.select_related("user__domain", "group__domain", "app__domain", "domain")
        .filter(domain=domain, local_part=local_part)
        .first()
    )


def describe(address: Address) -> str:
    """Whose address it is: `an alias of the user ann@example.test`."""
    if address.user is not None:
        owner = f"the user {address.user.address}"
        return f"the address of {owner}" if address.is_primary else f"an alias of {owner}"
    if address.group is not None:
        return f"the address of the group {address.group.address}"
    return f"the address of the app {address.app.name if address.app else ''}"


def taken(domain: Domain, local_part: str, *, unless: Model | None = None) -> str:
    """Why the address cannot be given to anybody, in one line; "" when it is free.

    `unless` is the user, group, app or alias that is asked for: what it has itself is free for it.
    """
    holder = holder_of(domain, local_part)
    if holder is None or _is_of(holder, unless):
        return ""
    return f"{holder} is taken: it is {describe(holder)}."


def _is_of(holder: Address, owner: Model | None) -> bool:
    if owner is None or owner.pk is None:
        return False
    if isinstance(owner, Address):
        return bool(holder.pk == owner.pk)
    return bool(holder.is_primary and owner in (holder.user, holder.group, holder.app))


def meaning_of(error: IntegrityError, what: str) -> str | None:
    """What a refusal of the database means, in one line; None when it is none that we expect."""
    diagnosis = getattr(error.__cause__, "diag", None)
    meaning = _MEANINGS.get(getattr(diagnosis, "constraint_name", None) or "")
    return f"{meaning.format(what=what)}." if meaning else None


@contextmanager
def one_change(what: str) -> Iterator[None]:
    """One transaction; what the database or a model's validation refuses becomes a Conflict."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        meaning = meaning_of(error, what)
        if meaning is None:
            raise
        raise Conflict(meaning[0].upper() + meaning[1:]) from error
    except ValidationError as error:
        raise Conflict(" ".join(error.messages)) from error
