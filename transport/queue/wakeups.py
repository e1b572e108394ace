"""Tells the workers that something is due. A hint, never the truth: the rows are.

One daemon thread a process sends coalesced wake-ups to the broker. `wake` only adds to a set: it never blocks and
never fails, whatever the broker does. A lost wake-up costs at most one period of the sweep.
"""

from collections.abc import Iterable


def wake(next_hops: Iterable[str]) -> None:
    """Say that rows of these next hops are due. Call it after the commit; returns at once."""
    raise NotImplementedError
