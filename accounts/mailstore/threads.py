"""THREAD's algorithms over what the messages say of themselves. RFC 5256 §3. Pure.

Messages are numbered from 0 in their order in the folder; higher numbers are dummies, which stand for messages that are
referred to and not there. No step recurses: a chain may be as long as the folder.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

# Looking for loops in a chain costs its length: beyond this many steps no link is made that could close one.
_STEPS_A_MESSAGE = 50


@dataclass(frozen=True, slots=True)
class Forest:
    """`roots` in the order of the answer, and the ordered children of those that have any."""

    roots: list[int]
    children: dict[int, list[int]] = field(default_factory=dict)


def by_subject(dates: Sequence[int], subjects: Sequence[str]) -> Forest:
    """ORDEREDSUBJECT: the first of each base subject, the others as its children."""
    order = sorted(range(len(dates)), key=dates.__getitem__)
    first: dict[str, int] = {}
    children: dict[int, list[int]] = {}
    for message in order:
        root = first.setdefault(subjects[message], message)
        if root != message:
            children.setdefault(root, []).append(message)
    return Forest(list(first.values()), children)


def by_references(
    ids: Sequence[str],
    references: Sequence[str],
    dates: Sequence[int],
    subjects: Sequence[str],
    is_reply: Sequence[str],
) -> Forest:
    """REFERENCES. `references` are ids with a space between; `is_reply` is "t" where the subject said so."""
    parents = _linked(ids, references)
    roots, children = _pruned(parents, len(ids))
    return _Gathering(dates, subjects, is_reply, children, len(parents)).forest(roots)


def _linked(ids: Sequence[str], references: Sequence[str]) -> list[int]:
    """Step 1: each node's parent, -1 for none. An id that stands twice belongs to the first."""
    nodes = dict(zip(reversed(ids), range(len(ids) - 1, -1, -1), strict=True))
    nodes.pop("", None)
    parents = [-1] * len(ids)
    has_child = bytearray(len(ids))
    steps_left = _STEPS_A_MESSAGE * len(ids) + 10_000

    def link(parent: int, child: int) -> None:
        """Unless it would close a loop."""
        nonlocal steps_left
        above = parent if has_child[child] else -1
        while above not in (-1, child) and steps_left > 0:
            above = parents[above]
            steps_left -= 1
        if above == -1 and parent != child:
            parents[child] = parent
            has_child[parent] = 1

    # What others say of a message counts less than what it says itself, when its turn comes: that it has no references,
    # too. Those turns are taken only where there is something to undo.
    unsaid: list[int] = []
    for message, text in [(n, text) for n, text in enumerate(references) if text]:
        while unsaid and unsaid[0] < message:
            parents[heappop(unsaid)] = -1
        last = -1
        for reference in text.split(" "):
            node = nodes.get(reference)
            if node is None:
                node = nodes[reference] = len(parents)
                parents.append(-1)
                has_child.append(0)
            if last != -1 and parents[node] == -1:
                link(last, node)
                if message < node < len(ids) and not references[node]:
                    heappush(unsaid, node)
            last = node
        parents[message] = -1
        if last != -1:
            link(last, message)
    for message in unsaid:
        parents[message] = -1
    return parents


def _pruned(parents: list[int], count: int) -> tuple[list[int], dict[int, list[int]]]:
    """Steps 2 and 3: dummies go; but one with several children stays where they would come to the top."""
    below: dict[int, list[int]] = {}
    for node, parent in [(n, parent) for n, parent in enumerate(parents) if parent != -1]:
        below.setdefault(parent, []).append(node)
    tops = [node for node, parent in enumerate(parents) if parent == -1]
    children: dict[int, list[int]] = {}
    waiting = [(node, node) for node in below if parents[node] == -1]
    while waiting:
        node, kept = waiting.pop()  # `kept` is the nearest node above that stays
        for child in below[node]:
            if child < count:
                children.setdefault(kept, []).append(child)
            if child in below:
                waiting.append((child, child if child < count else kept))
    first_dummy = bisect_left(tops, count)
    roots = tops[:first_dummy]
    for dummy in tops[first_dummy:]:
        if len(children.get(dummy, ())) > 1:
            roots.append(dummy)
        else:
            roots.extend(children.pop(dummy, ()))
    return roots, children


class _Gathering:
    """Steps 4 to 6: threads of one base subject become one."""

    def __init__(
        self,
        dates: Sequence[int],
        subjects: Sequence[str],
        is_reply: Sequence[str],
        children: dict[int, list[int]],
        nodes: int,
    ) -> None:
        self._count = len(dates)
        self._date = dates.__getitem__
        self._subjects = subjects
        self._is_reply = is_reply
        self._children = children
        self._nodes = nodes

    def forest(self, roots: list[int]) -> Forest:
        in_order = self._by_date(roots)
        merged = self._merged(in_order)
        for siblings in self._children.values():
            self._sort(siblings)
        if merged is in_order and not self._has_dummies(merged):
            return Forest(in_order, self._children)
        return Forest(self._by_date(merged), self._children)

    def _has_dummies(self, roots: list[int]) -> bool:
        return max(roots, default=0) >= self._count

    def _sort(self, messages: list[int]) -> None:
        """By date, then by their order in the folder."""
        if len(messages) > 1:
            messages.sort()
            messages.sort(key=self._date)

    def _by_date(self, roots: list[int]) -> list[int]:
        """The sorted roots; a dummy's children are sorted too, and the first of them stands for it."""
        if not self._has_dummies(roots):
            messages = list(roots)
            self._sort(messages)
            return messages
        dummies: dict[int, int] = {}
        for node in roots:
            if node >= self._count:
                self._sort(self._children[node])
                dummies[self._children[node][0]] = node
        messages = [self._children[node][0] if node >= self._count else node for node in roots]
        self._sort(messages)
        return [dummies.get(message, message) for message in messages]

    def _merged(self, roots: list[int]) -> list[int]:
        """Step 5, over the roots whose subject another root has too."""
        subjects = [
            self._subjects[self._children[node][0] if node >= self._count else node]
            for node in roots
        ]
        counts = Counter(subjects)
        if len(counts) == len(subjects):
            return roots
        shared = [
            (node, subject)
            for node, subject in zip(roots, subjects, strict=True)
            if subject and counts[subject] > 1
        ]
        table: dict[str, int] = {}
        for node, subject in shared:
            known = table.setdefault(subject, node)
            if known == node or self._is_dummy(known):
                continue
            if self._is_dummy(node) or (self._replies(known) and not self._replies(node)):
                table[subject] = node
        gone: set[int] = set()
        made: list[int] = []
        for node, subject in shared:
            known = table[subject]
            if known == node:
                continue
            gone.add(node)
            if self._is_dummy(known):
                added = self._children.pop(node) if self._is_dummy(node) else [node]
                self._children[known].extend(added)
            elif self._replies(node) and not self._replies(known):
                self._children.setdefault(known, []).append(node)
            else:
                table[subject] = dummy = self._nodes
                self._nodes += 1
                self._children[dummy] = [known, node]
                made.append(dummy)
                gone.add(known)
        return [node for node in (*roots, *made) if node not in gone]

    def _is_dummy(self, node: int) -> bool:
        return node >= self._count

    def _replies(self, node: int) -> bool:
        return self._is_reply[node] == "t"
