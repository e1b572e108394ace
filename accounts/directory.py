"""Look-ups: what an address means here, who is in a group, and which addresses a login may send as.

Services on a raw psycopg connection; each is one round trip, except where it says otherwise. Resolution order
of an address: exact, then without its +tag (RFC 5233), then the domain's catch-all. `postmaster` of each mail
domain, and the bare `<postmaster>` of RFC 5321 §4.5.1, always reach somebody.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import psycopg

from accounts.addresses import (
    SRS_PREFIX,
    Address,
    AddressSyntaxError,
    canonical_local_part,
    parse_address,
    split_subaddress,
)
from accounts.entries import (
    AppEntry,
    CatchAllEntry,
    DirectoryEntry,
    DomainFacts,
    Found,
    GroupEntry,
    GroupMembers,
    Login,
    MailboxFacts,
    OnlyScript,
    OwnedAddresses,
    SpamSettings,
    SrsEntry,
    UserEntry,
)
from accounts.mailstore.prepared import Prepared
from accounts.mailstore.values import MailboxId
from accounts.secrets import generate_secret

Connection = psycopg.Connection[tuple[Any, ...]]

POSTMASTER = "postmaster"

# Whether a Sieve script has a say about a mailbox's mail, its own or one for all: who has none pays for none.
_HAS_GLOBAL_SCRIPTS = (
    "EXISTS (SELECT FROM routing_globalscript WHERE is_enabled AND place <> 'library')"
)
_IS_FILTERED = f"""({_HAS_GLOBAL_SCRIPTS}
        OR EXISTS (SELECT FROM routing_script r WHERE r.mailbox_id = m.id AND r.is_active))"""

# What a user has set about spam, else the user's domain or the app's: as SpamSettings, which is the default.
_SPAM_SETTINGS = """COALESCE(u.spam_threshold, ud.spam_threshold, pd.spam_threshold, 5) AS spam_threshold,
        COALESCE(u.refuse_threshold, ud.refuse_threshold, pd.refuse_threshold) AS refuse_threshold,
        COALESCE(u.filter_spam_too, false) AS sees_spam,
        COALESCE(ud.refuse_dmarc_failures, pd.refuse_dmarc_failures, false) AS refuses_dmarc_failures"""
_SETTINGS = "spam_threshold, refuse_threshold, sees_spam, refuses_dmarc_failures"

# Every mailbox with its owner, if it still has one.
_MAILBOX_FACTS = f"""
    SELECT m.id AS mailbox_id, m.user_id, m.app_id,
        COALESCE(u.username || '@' || ud.name,
            COALESCE(NULLIF(p.local_part, ''), p.name || '.app') || '@' || pd.name, m.name) AS address,
        COALESCE(u.is_active, p.is_active, true) AS is_active,
        COALESCE(u.is_staff, false) AS is_staff,
        COALESCE(m.used_bytes >= m.quota_bytes OR m.used_messages >= m.quota_messages, false)
            AS is_full,
        {_IS_FILTERED} AS is_filtered,
        {_SPAM_SETTINGS}
    FROM accounts_mailbox m
    LEFT JOIN accounts_user u ON u.id = m.user_id LEFT JOIN accounts_domain ud ON ud.id = u.domain_id
    LEFT JOIN accounts_app p ON p.id = m.app_id LEFT JOIN accounts_domain pd ON pd.id = p.domain_id
"""

# Most mail is for a user by one of its addresses: a third of what the whole look-up costs.
_LOOK_UP_USER = Prepared(
    f"""
    SELECT d.id, d.name, m.id, u.username || '@' || ud.name,
        COALESCE(m.used_bytes >= m.quota_bytes OR m.used_messages >= m.quota_messages, false),
        r.id IS NOT NULL OR g.is_there,
        COALESCE(u.spam_threshold, ud.spam_threshold), COALESCE(u.refuse_threshold, ud.refuse_threshold),
        u.filter_spam_too, ud.refuse_dmarc_failures, CASE WHEN NOT g.is_there THEN r.id END, r.name, r.digest
    FROM accounts_domain d
    JOIN accounts_address a ON a.domain_id = d.id
    JOIN accounts_user u ON u.id = a.user_id
    JOIN accounts_domain ud ON ud.id = u.domain_id
    JOIN accounts_mailbox m ON m.user_id = u.id
    LEFT JOIN routing_script r ON r.mailbox_id = m.id AND r.is_active
    CROSS JOIN (SELECT {_HAS_GLOBAL_SCRIPTS} AS is_there) g
    WHERE d.name = %b AND a.local_part = %b AND d.mail_enabled AND u.is_active
    """,
    str,
    str,
)

# The longest of the names wins: the exact address before the one without its tag.
_LOOK_UP = f"""
    SELECT d.id, d.name, d.mail_enabled, a.user_id, a.group_id, a.app_id, a.local_part,
        f.mailbox_id, f.address, f.is_full, f.is_active, s.reverse_path,
        f.is_filtered, COALESCE(f.spam_threshold, d.spam_threshold),
        CASE WHEN f.mailbox_id IS NULL THEN d.refuse_threshold ELSE f.refuse_threshold END,
        COALESCE(f.sees_spam, false), COALESCE(f.refuses_dmarc_failures, d.refuse_dmarc_failures),
        c.mailbox_ids, c.addresses, c.are_full, c.are_filtered, c.spam_thresholds, c.refuse_thresholds,
        c.see_spam, c.refuse_dmarc_failures
    FROM accounts_domain d
    LEFT JOIN LATERAL (
        SELECT * FROM accounts_address
        WHERE domain_id = d.id AND local_part = ANY(%(names)s::text[])
        ORDER BY length(local_part) DESC LIMIT 1
    ) a ON true
    LEFT JOIN LATERAL (
        SELECT * FROM ({_MAILBOX_FACTS} WHERE m.user_id = a.user_id) of_user
        UNION ALL SELECT * FROM ({_MAILBOX_FACTS} WHERE m.app_id = a.app_id) of_app
    ) f ON true
    LEFT JOIN accounts_srsaddress s ON s.domain_id = d.id AND s.token = %(token)s::text
    LEFT JOIN LATERAL (
        SELECT array_agg(x.mailbox_id) AS mailbox_ids, array_agg(x.address) AS addresses,
            array_agg(x.is_full) AS are_full, array_agg(x.is_filtered) AS are_filtered,
            array_agg(x.spam_threshold) AS spam_thresholds,
            array_agg(x.refuse_threshold) AS refuse_thresholds,
            array_agg(x.sees_spam) AS see_spam,
            array_agg(x.refuses_dmarc_failures) AS refuse_dmarc_failures
        FROM ({_MAILBOX_FACTS} JOIN accounts_domain_catch_all k ON k.mailbox_id = m.id
            WHERE k.domain_id = d.id ORDER BY m.id) x
        WHERE x.is_active
    ) c ON a.id IS NULL
    WHERE d.name = %(domain)s::text
"""

_POSTMASTER = f"""
    SELECT mailbox_id, address, is_full, is_filtered, {_SETTINGS}
    FROM ({_MAILBOX_FACTS} WHERE u.is_staff AND u.is_active ORDER BY u.id LIMIT 1) f
"""

_EXPAND = f"""
    WITH RECURSIVE reached(id) AS (
        SELECT %(group)s::bigint
        UNION
        SELECT m.member_group_id FROM reached r JOIN accounts_groupmember m ON m.group_id = r.id
        WHERE m.member_group_id IS NOT NULL
    )
    SELECT DISTINCT f.mailbox_id, f.address, f.is_full, f.is_filtered, {_SETTINGS},
        m.outside_address
    FROM reached r JOIN accounts_groupmember m ON m.group_id = r.id
    LEFT JOIN ({_MAILBOX_FACTS}) f ON f.user_id = m.user_id AND f.is_active
    WHERE m.member_group_id IS NULL
    ORDER BY 1, m.outside_address
"""


def look_up(db: Connection, address: Address) -> Found:
    """What the address means here.

    One round trip for a user; a second one for everybody else, a third for a postmaster that nobody was made.
    """
    local_part = canonical_local_part(address.local_part)
    name, _ = split_subaddress(local_part)
    _, tag = split_subaddress(address.local_part)
    user = _LOOK_UP_USER.row(db, address.domain, name)
    if user is not None:
        domain_id, domain_name, *facts, script_id, script_name, digest = user
        only_script = OnlyScript(script_id, script_name, bytes(digest)) if script_id else None
        mailbox = _facts(*facts)
        if only_script is not None:
            mailbox = replace(mailbox, only_script=only_script)
        return Found(
            DomainFacts(domain_id, domain_name, mail_enabled=True),
            UserEntry(mailbox, is_active=True),
            tag,
        )
    token = local_part.removeprefix(SRS_PREFIX) if local_part.startswith(SRS_PREFIX) else ""
    row = _one(
        db, _LOOK_UP, {"names": [local_part, name], "token": token, "domain": address.domain}
    )
    if row is None:
        return Found(None, None)
    domain = DomainFacts(*row[:3])
    if not domain.mail_enabled:
        return Found(domain, None)
    if name == POSTMASTER and row[4] is None and not row[10]:
        postmaster = look_up_postmaster(db)
        if postmaster is not None:
            return Found(domain, UserEntry(postmaster, is_active=True), tag)
    return Found(domain, _entry(row), tag)


def look_up_postmaster(db: Connection) -> MailboxFacts | None:
    """Who gets mail to the bare `<postmaster>`: the first administrator; None when there is none."""
    row = _one(db, _POSTMASTER, {})
    return _facts(*row) if row else None


def expand_group(db: Connection, group_id: int) -> GroupMembers:
    """Whom the group reaches, through groups in it. Inactive users are left out; a loop ends by itself.

    One round trip, and one or two more for each outside address whose domain is local: it was given as an
    outside address and is delivered here all the same.
    """
    mailboxes: dict[MailboxId, MailboxFacts] = {}
    outside: dict[tuple[str, str], Address] = {}
    expanded: set[int] = set()
    groups = [group_id]
    while groups:
        group = groups.pop()
        if group in expanded:
            continue
        expanded.add(group)
        rows = db.execute(_EXPAND, {"group": group}, prepare=True, binary=True).fetchall()
        for *facts, outside_address in rows:
            if facts[0] is not None:
                mailboxes.setdefault(facts[0], _facts(*facts))
            elif outside_address:
                parsed = _parsed(outside_address)
                if parsed is not None:
                    outside.setdefault(parsed.key, parsed)
        local = local_domains(db, {domain for _, domain in outside}) if outside else frozenset()
        for key in [key for key in outside if key[1] in local]:
            match look_up(db, outside.pop(key)).entry:
                case GroupEntry(group_id=inner):
                    groups.append(inner)
                case UserEntry(mailbox, is_active=True) | AppEntry(mailbox, is_active=True):
                    mailboxes.setdefault(mailbox.id, mailbox)
                case CatchAllEntry(found):
                    mailboxes.update({mailbox.id: mailbox for mailbox in found})
                case _:
                    pass
    return GroupMembers(tuple(mailboxes.values()), tuple(outside.values()))


def owned_addresses(db: Connection, login: Login) -> OwnedAddresses:
    """What the login may send as: a user's primary address and aliases in mail domains, an app's address."""
    rows = db.execute(
        """
        SELECT a.local_part, d.name, a.app_id IS NOT NULL AND NOT d.validate_app_from
        FROM accounts_address a JOIN accounts_domain d ON d.id = a.domain_id
        WHERE (%(user)s::bigint = a.user_id AND d.mail_enabled) OR %(app)s::bigint = a.app_id
        """,
        {
            "user": login.account_id if login.kind == "user" else None,
            "app": login.account_id if login.kind == "app" else None,
        },
        prepare=True,
        binary=True,
    ).fetchall()
    return OwnedAddresses(frozenset((row[0], row[1]) for row in rows), any(row[2] for row in rows))


def addresses_of(db: Connection, mailbox: MailboxId) -> tuple[str, ...]:
    """The addresses whose mail reaches the mailbox's owner, the primary one first; groups and catch-alls left out."""
    rows = db.execute(
        """
        SELECT a.local_part || '@' || d.name
        FROM accounts_mailbox m
        JOIN accounts_address a ON a.user_id = m.user_id OR a.app_id = m.app_id
        JOIN accounts_domain d ON d.id = a.domain_id
        WHERE m.id = %s ORDER BY NOT a.is_primary, a.id
        """,
        (mailbox,),
        prepare=True,
        binary=True,
    ).fetchall()
    return tuple(row[0] for row in rows)


def local_domains(db: Connection, names: Iterable[str]) -> frozenset[str]:
    """Those of the names (lower-case A-labels) that are local: known here, with mail enabled."""
    rows = db.execute(
        "SELECT name FROM accounts_domain WHERE mail_enabled AND name = ANY(%s::text[])",
        (list(names),),
        prepare=True,
        binary=True,
    ).fetchall()
    return frozenset(row[0] for row in rows)


def srs_address(db: Connection, domain_name: str, reverse_path: str) -> Address:
    """The address in a local domain that stands for a foreign reverse-path while mail is forwarded.

    The same path gets the same address again. Raises LookupError when the domain is not known.
    """
    row = _one(
        db,
        """
        INSERT INTO accounts_srsaddress AS s (token, domain_id, reverse_path, created_at, used_at)
        SELECT %(token)s::text, d.id, %(path)s::text, now(), now()
        FROM accounts_domain d WHERE d.name = %(domain)s::text
        ON CONFLICT (domain_id, reverse_path) DO UPDATE SET used_at = now()
        RETURNING s.token
        """,
        {"token": generate_secret(), "path": reverse_path, "domain": domain_name},
    )
    if row is None:
        raise LookupError(f"no domain {domain_name}")
    return Address(SRS_PREFIX + row[0], domain_name)


def guarded_domains(db: Connection, names: Iterable[str]) -> frozenset[str]:
    """Those of the names that are ours and check the From of apps: nobody else's app may write their addresses."""
    rows = db.execute(
        "SELECT name FROM accounts_domain WHERE validate_app_from AND name = ANY(%s::text[])",
        (list(names),),
        prepare=True,
        binary=True,
    ).fetchall()
    return frozenset(row[0] for row in rows)


def _entry(row: tuple[Any, ...]) -> DirectoryEntry | None:
    """The entry of a row of _LOOK_UP."""
    _, name, _, user_id, group_id, _, local_part, mailbox_id, address, is_full, is_active = row[:11]
    reverse_path, is_filtered = row[11:13]
    spam, catch_all = row[13:17], row[17:]
    if group_id is not None:
        return GroupEntry(group_id, f"{local_part}@{name}", SpamSettings(*row[13:17]))
    if mailbox_id is not None:
        mailbox = _facts(mailbox_id, address, is_full, is_filtered, *spam)
        return UserEntry(mailbox, is_active) if user_id else AppEntry(mailbox, is_active)
    if reverse_path is not None:
        return SrsEntry(reverse_path)
    if catch_all[0]:
        return CatchAllEntry(tuple(_facts(*each) for each in zip(*catch_all, strict=True)))
    return None


def _facts(
    mailbox: MailboxId, address: str, is_full: bool, is_filtered: bool, *settings: Any
) -> MailboxFacts:
    return MailboxFacts(mailbox, address, is_full, is_filtered, spam=SpamSettings(*settings))


def _one(db: Connection, sql: str, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
    return db.execute(sql.encode(), parameters, prepare=True, binary=True).fetchone()


def _parsed(text: str) -> Address | None:
    try:
        return parse_address(text)
    except AddressSyntaxError:
        return None
