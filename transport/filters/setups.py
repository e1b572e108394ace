"""What the administrator has set for the filters, and how they do, in the database. Services for a database thread."""

from collections.abc import Mapping

from accounts.secrets import CannotDecrypt, decrypt
from transport.database_threads import Connection
from transport.filters.values import DEFAULTS, FilterName, FilterSetup

_SETUPS = """
SELECT name, is_on, address, teach_address, password_encrypted, is_strict, answered_at IS NOT NULL
FROM transport_externalfilter
"""
_ANSWERED = """
UPDATE transport_externalfilter SET answered_at = now()
WHERE name = ANY(%s) AND (answered_at IS NULL OR answered_at < now() - interval '10 seconds')
"""
_FAILED = """
UPDATE transport_externalfilter f SET error = left(n.error, 300), error_at = now()
FROM unnest(%s::text[], %s::text[]) n (name, error) WHERE f.name = n.name
"""

States = Mapping[FilterName, str]
"""The last error of each that was asked; "" when it answered."""


def read_setups(db: Connection) -> dict[FilterName, FilterSetup]:
    setups = dict(DEFAULTS)
    for name, is_on, address, teach_address, encrypted, is_strict, has_answered in db.execute(
        _SETUPS, prepare=True
    ).fetchall():
        setups[name] = FilterSetup(
            name, is_on, address, teach_address, _password(encrypted), is_strict, has_answered
        )
    return setups


def write_states(db: Connection, states: States) -> None:
    """For the admin's page."""
    errors = {name: error for name, error in states.items() if error}
    if answered := [name for name, error in states.items() if not error]:
        db.execute(_ANSWERED, (answered,))
    if errors:
        db.execute(_FAILED, (list(errors), list(errors.values())))


def _password(encrypted: str) -> str:
    """Without the key it is as if none was set: the filter will say so."""
    try:
        return decrypt(encrypted) if encrypted else ""
    except CannotDecrypt:
        return ""
