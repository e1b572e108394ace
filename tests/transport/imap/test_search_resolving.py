"""What the view answers of a search, and what it leaves to SQL, is together what was asked for."""

from array import array
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.mailstore import query
from accounts.mailstore.values import FolderId, MailboxId, ModSeq
from transport.imap.searching import resolve
from transport.imap.selection import Selection
from transport.imap.view import FolderView
from transport.imap.wire import search_keys
from transport.imap.wire.search_keys import SearchKey
from transport.imap.wire.sequence import SAVED, parse_sequence_set

Message = tuple[int, int, int, int]  # number, uid, flags, modseq


def selection_of(messages: list[Message], saved: list[int]) -> Selection:
    columns = [array("q", column) for column in zip(*messages, strict=True)] or [array("q")] * 4
    view = FolderView(columns[1], columns[2], columns[3], ("work",), 9)
    selection = Selection(
        MailboxId(1), FolderId(1), view, read_only=False, reader=MailboxId(1), rights=""
    )
    selection.saved = saved
    return selection


def holds(key: SearchKey, message: Message, count: int, last: int, saved: list[int]) -> bool:
    """The search key itself, for one message."""
    number, uid, flags, modseq = message
    match key:
        case search_keys.Leaf(query.All()):
            return True
        case search_keys.Leaf(query.HasFlag(name)):
            return bool(flags & {"\\Seen": 1, "\\Flagged": 4, "WORK": 32, "none": 0}[name])
        case search_keys.Leaf(query.ChangedSince(since)):
            return modseq >= since
        case search_keys.Leaf(leaf):
            return in_sql(leaf, uid)
        case search_keys.Messages(messages, by_uid):
            if messages.is_saved:
                return uid in saved
            spans = messages.resolve(last if by_uid else count)
            return any(low <= (uid if by_uid else number) <= high for low, high in spans)
        case search_keys.Not(inner):
            return not holds(inner, message, count, last, saved)
        case search_keys.And(keys):
            return all(holds(k, message, count, last, saved) for k in keys)
        case search_keys.Or(first, second):
            return any(holds(k, message, count, last, saved) for k in (first, second))
        case search_keys.Fuzzy(inner):
            return holds(inner, message, count, last, saved)
    raise AssertionError(key)


def in_sql(asked: query.Query, uid: int) -> bool:
    """The mail store's answer, where every message with an even UID has the text."""
    match asked:
        case query.TextContains():
            return uid % 2 == 0
        case query.UidRanges(ranges):
            return any(low <= uid <= high for low, high in ranges)
        case query.Not(inner):
            return not in_sql(inner, uid)
        case query.And(queries):
            return all(in_sql(q, uid) for q in queries)
        case query.Or(queries):
            return any(in_sql(q, uid) for q in queries)
    raise AssertionError(f"the view should have answered {asked}")


def messages_key(text: str, by_uid: bool) -> SearchKey:
    parsed = parse_sequence_set(text.encode(), 0)
    assert parsed
    return search_keys.Messages(parsed[0], by_uid)


NUMBERS = st.integers(1, 12).map(str) | st.just("*")
RANGES = st.lists(NUMBERS | st.builds("{}:{}".format, NUMBERS, NUMBERS), min_size=1, max_size=3)
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.just(search_keys.Leaf(query.All())),
    st.sampled_from(["\\Seen", "\\Flagged", "WORK", "none"]).map(
        lambda name: search_keys.Leaf(query.HasFlag(name))
    ),
    st.integers(1, 9).map(lambda n: search_keys.Leaf(query.ChangedSince(ModSeq(n)))),
    st.just(search_keys.Leaf(query.TextContains("subject", "x"))),
    st.builds(messages_key, RANGES.map(",".join), st.booleans()),
    st.just(search_keys.Messages(SAVED, True)),
)
KEYS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(search_keys.Not),
        inner.map(search_keys.Fuzzy),
        st.builds(search_keys.Or, inner, inner),
        st.lists(inner, min_size=1, max_size=4).map(lambda keys: search_keys.And(tuple(keys))),
    ),
    max_leaves=8,
)
UIDS = st.sets(st.integers(1, 20), max_size=9).map(sorted)


@settings(max_examples=300, deadline=None)
@given(UIDS, st.randoms(use_true_random=False), KEYS)
def test_view_and_sql_together_answer_what_was_asked(
    uids: list[int], chance: Any, key: SearchKey
) -> None:
    messages = [
        (number, uid, chance.choice([0, 1, 4, 32, 37]), chance.randrange(1, 9))
        for number, uid in enumerate(uids, 1)
    ]
    saved = [uid for uid in uids if chance.random() < 0.5]
    selection = selection_of(messages, saved)
    resolved = resolve(key, selection)
    if isinstance(resolved, (list, range)):
        found = [selection.view.uids[place] for place in resolved]
    else:
        found = [uid for uid in uids if in_sql(resolved, uid)]
    last = uids[-1] if uids else 0
    assert found == [m[1] for m in messages if holds(key, m, len(uids), last, saved)]
