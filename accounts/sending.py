"""How much users and apps may send: limits of messages and recipients, an hour and a day, over all processes and hosts.

The count is charged in the transaction that takes the message, as its last statement: what was not taken costs nothing.
One UPDATE counts, and the table's constraints hold the count below the limits, so that many at once cannot pass them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.conf import settings

from accounts.allowances import DAY, HOUR, LIMITS, Allowance, Full
from accounts.entries import Login, OwnedAddresses
from accounts.mailstore.prepared import Parameter, Prepared
from accounts.mailstore.values import MailboxId

Connection = psycopg.Connection[tuple[Any, ...]]

CLIENTS_MAXIMUM = 20

# The account's own, else its domain's, else the installation's, which are the parameters.
_LIMITS = ", ".join(f"COALESCE(o.{name}, d.{name}, %b::integer)" for name in LIMITS)


class OverLimit(Exception):
    """The message would pass a limit of the login's, or of the owner of a mailbox; roll the transaction back."""

    def __init__(self, mailbox: MailboxId | None = None) -> None:
        self.mailbox = mailbox


@dataclass(frozen=True, slots=True)
class Charge:
    """One message of a login's."""

    login: Login
    recipients: int
    client: str


@dataclass(frozen=True, slots=True)
class ScriptCharge:
    """What the scripts of a mailbox send on one occasion; `client`: where that came from."""

    mailbox: MailboxId
    messages: int
    recipients: int
    client: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """What was kept back of one account."""

    kind: str
    account_id: int
    number: int
    full: Full
    clients: tuple[str, ...]
    by_scripts: bool = False


def _mailbox_owner(kind: str) -> str:
    return f"(SELECT {kind}_id FROM accounts_mailbox WHERE id = %b)"


def _sender(kind: str, account: str, by_scripts: str) -> Prepared:
    is_app = kind == "app"
    return Prepared(
        f"""
        SELECT ARRAY(SELECT a.local_part || '@' || ad.name FROM accounts_address a
                JOIN accounts_domain ad ON ad.id = a.domain_id
                WHERE a.{kind}_id = o.id{"" if is_app else " AND ad.mail_enabled"}),
            {"NOT d.validate_app_from" if is_app else "false"},
            {_LIMITS},
            CASE WHEN c.hour_began > now() - interval '1 hour' THEN c.hour_messages ELSE 0 END,
            CASE WHEN c.hour_began > now() - interval '1 hour' THEN c.hour_recipients ELSE 0 END,
            CASE WHEN c.day_began > now() - interval '1 day' THEN c.day_messages ELSE 0 END,
            CASE WHEN c.day_began > now() - interval '1 day' THEN c.day_recipients ELSE 0 END,
            c.hour_began, c.day_began, now(), o.id
        FROM accounts_{kind} o JOIN accounts_domain d ON d.id = o.domain_id
        LEFT JOIN accounts_sendingcount c ON c.{kind}_id = o.id AND c.by_scripts = {by_scripts}
        WHERE o.id = {account}
        """,
        *(int,) * 5,
    )


def _charging(kind: str, account: str, by_scripts: str, *more: type[bytes]) -> Prepared:
    def counted(window: str, interval: str) -> str:
        is_on = f"c.{window}_began > now() - interval '{interval}'"
        return ", ".join(
            [
                f"{window}_began = CASE WHEN {is_on} THEN c.{window}_began ELSE now() END",
                *(
                    f"{window}_{what} = excluded.{window}_{what} + CASE WHEN {is_on} THEN c.{window}_{what} ELSE 0 END"
                    for what in ("messages", "recipients")
                ),
            ]
        )

    is_today = "c.day_began > now() - interval '1 day'"
    return Prepared(
        f"""
        INSERT INTO accounts_sendingcount AS c ({kind}_id, by_scripts, hour_began, day_began, {", ".join(LIMITS)},
            hour_messages, hour_recipients, day_messages, day_recipients, clients)
        SELECT o.id, {by_scripts}, now(), now(), {_LIMITS}, q.m, q.n, q.m, q.n, array_remove(ARRAY[q.client], '')
        FROM accounts_{kind} o JOIN accounts_domain d ON d.id = o.domain_id,
            (SELECT %b::integer AS m, %b::integer AS n, %b::text AS client) q
        WHERE o.id = {account}
        ON CONFLICT ({kind}_id, by_scripts) DO UPDATE SET
            {counted("hour", "1 hour")}, {counted("day", "1 day")},
            {", ".join(f"{name} = excluded.{name}" for name in LIMITS)},
            refused = CASE WHEN {is_today} THEN c.refused ELSE 0 END,
            clients = CASE WHEN NOT {is_today} THEN excluded.clients
                WHEN c.clients @> excluded.clients OR cardinality(c.clients) >= {CLIENTS_MAXIMUM} THEN c.clients
                ELSE c.clients || excluded.clients END
        RETURNING 1
        """,
        *(int,) * 6,
        str,
        int,
        *more,
    )


KINDS = ("user", "app")
_SENDER = {kind: _sender(kind, "%b", "false") for kind in KINDS}
_CHARGE = {kind: _charging(kind, "%b", "false") for kind in KINDS}
_CHARGE_IF_ACCEPTED = {
    kind: _charging(
        kind, "%b AND EXISTS (SELECT FROM mail_accepted WHERE fingerprint = %b)", "false", bytes
    )
    for kind in KINDS
}
_OWNER = {kind: _sender(kind, _mailbox_owner(kind), "true") for kind in KINDS}
_CHARGE_OWNER = {kind: _charging(kind, _mailbox_owner(kind), "true") for kind in KINDS}


def sender_of(db: Connection, login: Login) -> tuple[OwnedAddresses, Allowance]:
    """What the login may send as, and how much. One round trip; as `accounts.directory.owned_addresses`."""
    row = _SENDER[login.kind].row(db, *settings.SENDING_LIMITS, login.account_id)
    if row is None:  # the account was deleted
        nothing = (0,) * len(LIMITS)
        now = datetime.now(UTC)
        return OwnedAddresses(frozenset(), False), Allowance(nothing, nothing, (now, now))
    names, from_unchecked = row[:2]
    keys = frozenset((local, domain) for local, _, domain in (n.rpartition("@") for n in names))
    return OwnedAddresses(keys, from_unchecked), _allowance(row)


def _allowance(row: tuple[Any, ...]) -> Allowance:
    *numbers, hour_began, day_began, now, _ = row[2:]
    ends = tuple(
        began + length if began is not None and began + length > now else now + length
        for began, length in ((hour_began, HOUR), (day_began, DAY))
    )
    return Allowance(tuple(numbers[:4]), tuple(numbers[4:]), (ends[0], ends[1]))


def charge(db: Connection, one: Charge) -> None:
    """Count a message, in the transaction that takes it, as its last statement. Raises OverLimit.

    The row's lock is held until the commit: nothing that may wait for another lock comes after it.
    """
    with held_by_limits(None):
        _CHARGE[one.login.kind].rows(db, *_values(one))


def charge_if_accepted(one: Charge, fingerprint: bytes) -> tuple[Prepared, Sequence[Parameter]]:
    """The statement that charges where this fingerprint was written before it, for `append_message` to run last."""
    return _CHARGE_IF_ACCEPTED[one.login.kind], (*_values(one), fingerprint)


def _values(one: Charge) -> tuple[Parameter, ...]:
    return (*settings.SENDING_LIMITS, 1, one.recipients, one.client, one.login.account_id)


def charge_owner(db: Connection, one: ScriptCharge) -> None:
    """The same for what the scripts of a mailbox send; nobody is charged for a mailbox that has outlived its owner."""
    values = (one.messages, one.recipients, one.client, one.mailbox)
    with held_by_limits(one.mailbox):
        for kind in KINDS:
            if _CHARGE_OWNER[kind].rows(db, *settings.SENDING_LIMITS, *values):
                return


def refusal_of_owner(db: Connection, one: ScriptCharge) -> Refusals | None:
    """What `charge_owner` has refused, in words; None where it would not any more."""
    for kind in KINDS:
        row = _OWNER[kind].row(db, *settings.SENDING_LIMITS, one.mailbox)
        if row is not None:
            full = _allowance(row).full(one.recipients, one.messages)
            clients = (one.client,) if one.client else ()
            return Refusals(kind, row[-1], 1, full, clients, by_scripts=True) if full else None
    return None


@contextmanager
def held_by_limits(mailbox: MailboxId | None) -> Iterator[None]:
    """Where a statement of these runs: what the table's constraints hold back is OverLimit."""
    try:
        yield
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name not in LIMITS:
            raise
        raise OverLimit(mailbox) from None


def note_refusals(db: Connection, refusals: Iterable[Refusals]) -> None:
    """Keep what the limits held back, for the administrator. In one order, so that two never wait for each other."""
    for one in sorted(refusals, key=lambda one: (one.kind, one.account_id, one.by_scripts)):
        db.execute(
            f"""
            INSERT INTO accounts_sendingcount AS c ({one.kind}_id, by_scripts, hour_began, day_began, {", ".join(LIMITS)},
                hour_messages, hour_recipients, day_messages, day_recipients,
                clients, refused, refused_at, refusal, full_until)
            SELECT id, %(by_scripts)s, now(), now(), 0, 0, 0, 0, 0, 0, 0, 0, %(clients)s::text[], %(number)s, now(), %(limit)s, %(until)s
            FROM accounts_{one.kind} WHERE id = %(account)s
            ON CONFLICT ({one.kind}_id, by_scripts) DO UPDATE SET refused = c.refused + excluded.refused, refused_at = now(),
                refusal = excluded.refusal, full_until = excluded.full_until,
                clients = (ARRAY(SELECT DISTINCT unnest(c.clients || excluded.clients)))[1:{CLIENTS_MAXIMUM}]
            """.encode(),
            {
                "account": one.account_id,
                "by_scripts": one.by_scripts,
                "number": one.number,
                "limit": one.full.limit,
                "until": one.full.until,
                "clients": list(one.clients),
            },
        )
