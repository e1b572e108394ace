"""THREAD's algorithms: RFC 5256 §3 step by step, and hostile chains."""

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.mailstore.threads import Forest, by_references, by_subject
from transport.imap.wire.threads import thread_response

Mail = tuple[str, str, int, str]  # id, references, date, subject; "Re: " makes it a reply


def answer(forest: Forest, count: int) -> str:
    response = thread_response(forest.roots, forest.children, range(1, count + 1))
    return response.decode().removeprefix("* THREAD").strip()


def references(mails: list[Mail]) -> str:
    forest = by_references(
        [mail[0] for mail in mails],
        [mail[1] for mail in mails],
        [mail[2] for mail in mails],
        [mail[3].removeprefix("Re: ") for mail in mails],
        ["t" if mail[3].startswith("Re: ") else "f" for mail in mails],
    )
    return answer(forest, len(mails))


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        ([], ""),
        ([("a", "", 1, "s")], "(1)"),
        # a chain, in any order of arrival
        ([("a", "", 1, "s"), ("b", "a", 2, "Re: s"), ("c", "a b", 3, "Re: s")], "(1 2 3)"),
        ([("c", "a b", 3, "Re: s"), ("b", "a", 2, "Re: s"), ("a", "", 1, "s")], "(3 2 1)"),
        # siblings by date
        ([("a", "", 1, "s"), ("b", "a", 9, "Re: s"), ("c", "a", 3, "Re: s")], "(1 (3)(2))"),
        # 1.A: a duplicate's id belongs to the first
        ([("a", "", 1, "x"), ("a", "", 2, "y"), ("b", "a", 3, "z")], "(1 3)(2)"),
        # 1.A: two without an id are two
        ([("", "", 1, "x"), ("", "", 2, "y")], "(1)(2)"),
        # 1.A: an existing parent stays: b was said to be a's child
        (
            [("c", "a b", 3, "c"), ("d", "x b", 4, "d"), ("a", "", 1, "a")],
            "(3 (1)(2))",
        ),
        # 1.B: but of itself a message knows better; x is one child's dummy
        ([("c", "a b", 3, "c"), ("b", "x", 2, "b"), ("a", "", 1, "a")], "(3)(2 1)"),
        # 1.B: without references of its own it has no parent
        ([("c", "a b", 3, "c"), ("b", "", 2, "b"), ("a", "", 1, "a")], "(3)(2 1)"),
        # loops are not closed
        ([("a", "b", 1, "x"), ("b", "a", 2, "y")], "(2 1)"),
        ([("a", "a", 1, "x")], "(1)"),
        ([("a", "b a b", 1, "x"), ("b", "", 2, "y")], "(2 1)"),
        # 3: a dummy without children goes, one with one child is replaced, one with several stays at the top
        ([("b", "a", 1, "x")], "(1)"),
        ([("b", "a", 1, "x"), ("c", "a", 2, "y")], "((1)(2))"),
        ([("b", "a", 2, "x"), ("c", "a", 1, "y")], "((2)(1))"),
        # 3: and below a message its children are spliced in
        ([("a", "", 1, "x"), ("c", "a b", 2, "y"), ("d", "a b", 3, "z")], "(1 (2)(3))"),
        # 3: two dummies above each other
        ([("c", "a b", 2, "y"), ("d", "a b", 3, "z")], "((1)(2))"),
        # 4: roots by date, a dummy by its first child, equal dates by number
        (
            [("x", "", 5, "x"), ("b", "a", 9, "b"), ("c", "a", 1, "c"), ("y", "", 5, "y")],
            "((3)(2))(1)(4)",
        ),
        # 5: an original gathers its replies
        ([("a", "", 1, "s"), ("b", "", 2, "Re: s")], "(1 2)"),
        ([("b", "", 1, "Re: s"), ("a", "", 2, "s")], "(2 1)"),
        # 5: two originals, or two replies, come below a dummy, and the third too
        ([("a", "", 1, "s"), ("b", "", 2, "s"), ("c", "", 3, "Re: s")], "((1)(2)(3))"),
        ([("a", "", 1, "Re: s"), ("b", "", 2, "Re: s")], "((1)(2))"),
        # 5: two dummies' children become siblings; a message joins a dummy
        (
            [
                ("b", "a", 1, "s"),
                ("c", "a", 2, "t"),
                ("e", "d", 3, "s"),
                ("f", "d", 4, "u"),
                ("g", "", 5, "Re: s"),
            ],
            "((1)(2)(3)(4)(5))",
        ),
        # 5: no subject gathers nothing
        ([("a", "", 1, ""), ("b", "", 2, ""), ("c", "", 3, "Re: ")], "(1)(2)(3)"),
    ],
)
def test_references(mails: list[Mail], expected: str) -> None:
    assert references(mails) == expected


def test_ordered_subject() -> None:
    subjects = ["b", "a", "b", "b", "", "c", ""]
    dates = [5, 4, 2, 9, 1, 6, 8]
    assert answer(by_subject(dates, subjects), 7) == "(5 7)(3 (1)(4))(2)(6)"


COUNT = 100_000


@pytest.mark.parametrize(
    "references_of",
    [
        pytest.param(lambda n: f"{n - 1}" if n else "", id="each the child of the one before"),
        pytest.param(lambda n: f"{n + 1}", id="each the child of the one after"),
        pytest.param(lambda n: f"{(n * 7919) % COUNT}", id="all over"),
        pytest.param(
            # A chain of one half; each of the other half has a child and wants to be below the chain's end.
            lambda n: f"{n - 1}" if n % 2 else f"{n + 1} {COUNT // 2 - 1}",
            id="long looks for loops",
        ),
    ],
)
def test_hostile_references_take_bounded_time(references_of: Callable[[int], str]) -> None:
    started = time.process_time()
    text = references([(str(n), references_of(n), n, f"s{n}") for n in range(COUNT)])
    assert time.process_time() - started < 10
    assert sorted(map(int, text.replace("(", " ").replace(")", " ").split())) == [
        *range(1, COUNT + 1)
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", *"abcdef"]),
            st.lists(st.sampled_from("abcdefgh"), max_size=5).map(" ".join),
            st.integers(0, 5),
            st.sampled_from(["", "s", "Re: s", "t", "Re: t"]),
        ),
        max_size=12,
    )
)
def test_every_message_stands_once_in_the_answer(mails: list[Mail]) -> None:
    text = references(mails)
    numbers = sorted(map(int, text.replace("(", " ").replace(")", " ").split()))
    assert numbers == list(range(1, len(mails) + 1))
    assert text.count("(") == text.count(")")


def test_the_answer_does_not_depend_on_luck() -> None:
    """Shuffled mail with whole References makes the same tree."""
    ids = [f"m{n}" for n in range(60)]
    parents = {n: random.Random(n).randrange(n) for n in range(1, 60)}

    def line(n: int) -> str:
        chain = []
        while n:
            n = parents[n]
            chain.append(ids[n])
        return " ".join(reversed(chain))

    mails = [(ids[n], line(n), n, f"s{n}") for n in range(60)]
    straight = references(mails)
    order = list(range(60))
    random.Random(1).shuffle(order)
    shuffled = references([mails[n] for n in order])
    for new, old in enumerate(order, 1):
        shuffled = shuffled.replace(f"({new} ", f"(<{old + 1}> ").replace(
            f"({new})", f"(<{old + 1}>)"
        )
        shuffled = shuffled.replace(f" {new} ", f" <{old + 1}> ").replace(
            f" {new})", f" <{old + 1}>)"
        )
    assert shuffled.replace("<", "").replace(">", "") == straight
