"""Which entries a statement means: SQL for a list of UIDs, and for UIDs as an IMAP set. Pure."""

from collections.abc import Sequence

from accounts.mailstore.values import Uid


def chosen(uids: Sequence[Uid]) -> tuple[str, dict[str, object]]:
    """A condition on `e.uid` for UIDs in order, and its parameters: a run of them is told by its ends alone."""
    if uids and uids[-1] - uids[0] == len(uids) - 1:
        return "e.uid BETWEEN %(low)s AND %(high)s", {"low": uids[0], "high": uids[-1]}
    return "e.uid = ANY(%(uids)s::bigint[])", {"uids": list(uids)}


def set_of(table: str) -> str:
    """The UIDs of a table's rows as a sequence-set, as change rows keep them."""
    return f"""(
        SELECT string_agg(CASE WHEN low = high THEN low::text ELSE low || ':' || high END, ',' ORDER BY low)
        FROM (
            SELECT min(uid) AS low, max(uid) AS high
            FROM (SELECT uid, uid - row_number() OVER (ORDER BY uid) AS run FROM {table}) AS numbered
            GROUP BY run) AS runs)"""
