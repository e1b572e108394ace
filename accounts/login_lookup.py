"""The SQL that PLAIN and SCRAM share: an account by its login, and what is counted of the attempt.

Parameters: those of `Asked.parameters`, and a secret's SHA-256.
"""

from dataclasses import dataclass
from typing import Any

from accounts import throttle
from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.throttle import Attempt, Failures

LOGIN_MAXIMUM = 320
PARAMETER_TYPES = (str, str, str, str, bytes)

LOGIN_COLUMNS = """a.kind, a.id, a.mailbox_id, a.address, a.display_name, a.domain_id, a.domain_name,
        a.mail_enabled, a.validate_app_from"""

ACCOUNT = """(SELECT %b AS name, %b AS domain, %b AS account, %b AS source, %b AS secret) q
    LEFT JOIN LATERAL (
        SELECT CASE WHEN u.id IS NULL THEN 'app' ELSE 'user' END AS kind, COALESCE(u.id, p.id) AS id,
            m.id AS mailbox_id, a.local_part || '@' || d.name AS address,
            COALESCE(u.full_name, p.display_name) AS display_name, d.id AS domain_id,
            d.name AS domain_name, d.mail_enabled, d.validate_app_from,
            COALESCE(u.password, '') AS password, COALESCE(u.is_active, p.is_active) AS is_active,
            COALESCE(u.scram_salt, p.scram_salt) AS scram_salt,
            COALESCE(u.scram_verifier, ''::bytea) AS scram_verifier,
            u.id AS user_id, p.id AS app_id
        FROM accounts_domain d
        JOIN accounts_address a ON a.domain_id = d.id AND a.local_part = q.name AND a.is_primary
        LEFT JOIN accounts_user u ON u.id = a.user_id
        LEFT JOIN accounts_app p ON p.id = a.app_id
        LEFT JOIN LATERAL (
            SELECT id FROM accounts_mailbox WHERE user_id = u.id
            UNION ALL SELECT id FROM accounts_mailbox WHERE app_id = p.id
        ) m ON true
        WHERE a.group_id IS NULL
            AND (d.name = q.domain OR (q.domain = '' AND d.is_default AND u.id IS NOT NULL))
    ) a ON true"""

COUNT_COLUMNS = """fp.failures, extract(epoch FROM now() - fp.last_at)::float8,
        fs.failures, extract(epoch FROM now() - fs.last_at)::float8,
        fa.failures, extract(epoch FROM now() - fa.last_at)::float8,
        k.id IS NOT NULL, COALESCE(k.last_at > now() - interval '1 day', false)"""

COUNTS = """
    LEFT JOIN accounts_loginfailure fp ON fp.source = q.source AND fp.account = q.account
    LEFT JOIN accounts_loginfailure fs ON fs.source = q.source AND fs.account = ''
    LEFT JOIN accounts_loginfailure fa ON fa.source = '' AND fa.account = q.account
    LEFT JOIN LATERAL (
        SELECT id, last_at FROM accounts_knownnetwork
        WHERE network = q.source AND (user_id = a.user_id OR app_id = a.app_id) LIMIT 1
    ) k ON true"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A login as it is looked up: canonical, and cut to what can be stored."""

    name: str
    domain: str
    account: str
    source: str

    @classmethod
    def of(cls, login: str, client: str) -> "Asked":
        """`login` as it was typed, `client` the IP address."""
        name, domain = _split(login)
        account = f"{name}@{domain}"[:LOGIN_MAXIMUM]
        return cls(name, domain, account, throttle.throttled_source(client))

    def parameters(self) -> tuple[str, str, str, str]:
        return self.name, self.domain, self.account, self.source

    def attempt(self, counts: tuple[Any, ...]) -> Attempt:
        """With what COUNT_COLUMNS gave."""
        pair, pair_age, of_source, source_age, of_account, account_age, known, noted = counts
        return Attempt(
            account=self.account,
            source=self.source,
            pair=Failures(pair or 0, pair_age or 0.0),
            of_source=Failures(of_source or 0, source_age or 0.0),
            of_account=Failures(of_account or 0, account_age or 0.0),
            is_known=known,
            is_noted_today=noted,
        )


def _split(login: str) -> tuple[str, str]:
    """What was typed as (name, domain), both canonical; the domain is "" for a bare username.

    What cannot be a login becomes a name that nobody has, so that it takes the time of any other.
    """
    text = login.strip()
    if len(text) > LOGIN_MAXIMUM or not text.isprintable():
        return "", ""
    if "@" not in text:
        return canonical_local_part(text), ""
    try:
        return parse_address(text).key
    except AddressSyntaxError:
        return "", ""
