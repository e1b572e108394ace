"""The THREAD response (RFC 5256 §4), pure. A chain may be as long as the folder: nothing here recurses."""

from collections.abc import Mapping, Sequence


def thread_response(
    roots: Sequence[int], children: Mapping[int, Sequence[int]], numbers: Sequence[int]
) -> bytes:
    """`* THREAD (1)(2 3 (4)(5))`. Nodes beyond `numbers` are dummies, and have no number of their own."""
    if not children:
        lists = [b"(%d)" % numbers[root] for root in roots]
    else:
        lists = [
            _thread(root, children, numbers) if root in children else b"(%d)" % numbers[root]
            for root in roots
        ]
    return b"* THREAD" + (b" " if lists else b"") + b"".join(lists) + b"\r\n"


def _thread(root: int, children: Mapping[int, Sequence[int]], numbers: Sequence[int]) -> bytes:
    """thread-list = "(" (thread-members / thread-nested) ")" """
    words: list[bytes] = []
    waiting: list[int] = [root]
    while waiting:
        node = waiting.pop()
        if node < 0:
            words.append(b")")
            continue
        space = b"("
        while True:
            if node < len(numbers):
                words.append(space + b"%d" % numbers[node])
                space = b" "
            below = children.get(node, ())
            if len(below) != 1:
                break
            node = below[0]
        waiting.append(-1)
        if below:
            if node < len(numbers):
                words.append(b" ")
            else:
                words.append(space)
            waiting.extend(reversed(below))
    return b"".join(words)
