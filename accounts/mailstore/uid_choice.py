"""Which entries a statement means: SQL for a list of UIDs, and for UIDs as an IMAP set. Pure."""

from collections.abc import Sequence

from accounts.mailstore.values import Uid

FEW = 100


def chosen(uids: Sequence[Uid]) -> tuple[str, dict[str, object]]:
    """A condition on `e.uid` for UIDs in order, and its parameters: a run of them is told by its ends alone."""
    if uids and uids[-1] - uids[0] == len(uids) - 1:
        return "e.uid BETWEEN %(low)s AND %(high)s", {"low": uids[0], "high": uids[-1]}
    return "e.uid = ANY(%(uids)s::bigint[])", {"uids": list(uids)}


def numbered(uids: Sequence[Uid], first: int) -> tuple[str, list[int | str]]:
    """The same with parameters from $`first` on, for a statement that is kept.

    As a sub-query the planner does not know how many they are, and has one plan for all: to plan anew takes 0.5 ms.
    """
    if len(uids) > FEW and uids[-1] - uids[0] == len(uids) - 1:
        return f"e.uid BETWEEN ${first} AND ${first + 1}", [uids[0], uids[-1]]
    return f"e.uid = ANY((SELECT ${first}::bigint[])::bigint[])", [
        "{" + ",".join(map(str, uids)) + "}"
    ]


def set_of(table: str) -> str:
    """The UIDs of a table's rows as a sequence-set, as change rows keep them."""
    return f"""(
        SELECT string_agg(CASE WHEN low = high THEN low::text ELSE low || ':' || high END, ',' ORDER BY low)
        FROM (
            SELECT min(uid) AS low, max(uid) AS high
            FROM (SELECT uid, uid - row_number() OVER (ORDER BY uid) AS run FROM {table}) AS numbered
            GROUP BY run) AS runs)"""
