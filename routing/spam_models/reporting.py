"""What a domain's model knows, for a report on it."""

from array import array

from routing.spam.held_out import Known
from routing.spam_models.models_of import Connection

NEWEST = 2000  # of each class


def known_messages(db: Connection, domain: int) -> list[Known]:
    """The newest that it counts; none where it has no model yet."""
    rows = db.execute(
        """
        SELECT n.* FROM routing_spam_model m, (VALUES (true), (false)) AS c (is_spam), LATERAL (
            SELECT sha256, keys, is_spam FROM routing_spam_learned l
            WHERE l.model_id = m.id AND l.is_spam = c.is_spam
            ORDER BY at DESC, sha256 LIMIT %s) AS n
        WHERE m.domain_id = %s
        """,
        (NEWEST, domain),
        binary=True,
    )
    return [Known(bytes(sha256), array("q", keys), is_spam) for sha256, keys, is_spam in rows]
