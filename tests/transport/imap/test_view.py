"""A client's view: which untagged responses, with which numbers, and when (RFC 9051 §7.5.1)."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from transport.imap.view import (
    Exists,
    Expunged,
    FlagsChanged,
    FolderView,
    KeywordsChanged,
    Untagged,
)


def view_of(*uids: int) -> FolderView:
    count = len(uids)
    return FolderView(array("q", uids), array("q", [0] * count), array("q", [1] * count), (), 1)


def test_expunge_shifts_later_sequence_numbers() -> None:
    view = view_of(1, 2, 3, 4)
    view.expunge([2, 3], 2)
    assert view.release(expunges=True) == [Expunged((3, 2), (2, 3))]
    assert list(view.uids) == [1, 4]


def test_expunges_wait_until_they_are_allowed() -> None:
    view = view_of(1, 2, 3)
    view.absorb([2], [], (), 2)
    assert view.release(expunges=False) == []
    assert view.is_gone(2)
    assert list(view.uids) == [1, 2, 3]
    assert view.release(expunges=True) == [Expunged((2,), (2,))]
    assert view.release(expunges=True) == []


def test_new_messages_are_told_once() -> None:
    view = view_of(1)
    view.absorb([], [(2, 0, 2), (3, 0, 2)], (), 2)
    view.absorb([], [(2, 0, 2), (3, 0, 2)], (), 2)
    assert view.release(expunges=False) == [Exists(3)]
    assert view.release(expunges=False) == []


def test_a_message_that_came_and_went_is_not_mentioned() -> None:
    view = view_of(1)
    view.absorb([], [(2, 0, 2)], (), 2)
    view.absorb([2], [], (), 3)
    assert view.release(expunges=True) == []
    assert list(view.uids) == [1]


def test_an_expunge_of_nothing_says_nothing() -> None:
    view = view_of(1)
    view.absorb([7], [], (), 2)
    assert view.release(expunges=True) == []


def test_flags_are_told_unless_the_client_knows_them() -> None:
    view = view_of(1, 2)
    view.told([(1, 4, 5)])
    view.absorb([], [(1, 4, 5), (2, 1, 6)], (), 6)
    assert view.release(expunges=False) == [FlagsChanged(2, 2, 1, 6)]
    assert view.modseq == 6


def test_keywords_come_before_the_flags_that_need_them() -> None:
    view = view_of(1)
    view.absorb([], [(1, 32, 2)], ("todo",), 2)
    assert view.release(expunges=False) == [KeywordsChanged(("todo",)), FlagsChanged(1, 1, 32, 2)]


class Client:
    """What a client concludes from the untagged responses alone."""

    def __init__(self) -> None:
        self.count = 0
        self.flags: dict[int, int] = {}

    def hear(self, news: list[Untagged]) -> None:
        for item in news:
            match item:
                case Expunged(numbers):
                    for number in numbers:
                        self._expunge(number)
                case Exists(count):
                    assert count > self.count
                    self.count = count
                case FlagsChanged(number, _, flags, _):
                    assert number <= self.count
                    self.flags[number] = flags

    def _expunge(self, number: int) -> None:
        assert 1 <= number <= self.count
        self.count -= 1
        self.flags = {n - (n > number): f for n, f in self.flags.items() if n != number}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["append", "expunge", "flag", "refresh", "tell", "tell-all"]),
        st.integers(0, 9),
    )
)


@given(STEPS)
def test_any_interleaving_leaves_the_view_equal_to_a_fresh_one(
    steps: list[tuple[str, int]],
) -> None:
    view, client = view_of(), Client()
    folder: dict[int, tuple[int, int]] = {}  # uid -> (flags, modseq)
    gone: dict[int, int] = {}
    modseq, uid_next = 1, 1

    def refresh() -> None:
        vanished = [uid for uid, at in gone.items() if at > view.modseq]
        entries = [(uid, f, m) for uid, (f, m) in sorted(folder.items()) if m > view.modseq]
        view.absorb(vanished, entries, (), modseq)

    for action, pick in steps:
        chosen = sorted(folder)[pick % len(folder)] if folder else None
        modseq += 1
        if action == "append":
            folder[uid_next] = (0, modseq)
            uid_next += 1
        elif action == "expunge" and chosen:
            del folder[chosen]
            gone[chosen] = modseq
        elif action == "flag" and chosen:
            folder[chosen] = (pick + 1, modseq)
        elif action == "refresh":
            refresh()
        elif action.startswith("tell"):
            client.hear(view.release(expunges=action == "tell-all"))
    refresh()
    client.hear(view.release(expunges=True))
    assert list(view.uids) == sorted(folder)
    assert list(view.flags) == [folder[uid][0] for uid in sorted(folder)]
    assert client.count == len(folder)
    for number, flags in client.flags.items():
        assert flags == view.flags[number - 1]


def test_own_changes_move_the_modseq_on_only_where_nobody_elses_lie_between() -> None:
    view = view_of(1, 2, 3)
    view.told([(1, 4, 2), (2, 4, 3)])
    assert (view.modseq, view.is_ahead) == (3, False)
    view.told([(1, 0, 5)])
    assert (view.modseq, view.is_ahead) == (3, True)
    view.expunge([3], 6)
    assert view.modseq == 3
    view = view_of(1, 2)
    view.told([], [(1, 4, 2)])  # of a change that may have touched others too
    assert (view.modseq, view.is_ahead) == (1, True)


def test_an_expunge_that_waits_holds_the_modseq_back() -> None:
    """RFC 7162 §6."""
    view = view_of(1, 2)
    view.absorb([1], [(2, 1, 3)], (), 3)
    assert view.modseq_to_keep == 1
    assert view.is_ahead
    view.release(expunges=True)
    assert view.modseq_to_keep == 3
    assert not view.is_ahead


def test_who_selects_a_remembered_folder_is_told_what_its_entries_are_ahead_of() -> None:
    """An entry that was read a moment after the folder may be newer than a message nobody has seen yet."""
    remembered = view_of(1, 2)
    remembered.absorb([], [(1, 4, 5)], (), 3)  # 4 may be a new message
    remembered.settle()
    assert (remembered.fork().modseq_to_keep, remembered.fork().is_ahead) == (3, True)
