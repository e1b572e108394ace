"""The last few answers about whole folders, kept in the process until the columns that they come from change."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar
from weakref import ref

from accounts.mailstore.folder_columns import Columns

T = TypeVar("T")

ANSWERS_KEPT = 4
WORTH_KEEPING = range(1000, 200_000)
"""Messages in a folder: fewer are soon gone through, more take too much memory."""


class KeptAnswers(Generic[T]):
    """To one kind of question; `key` says of which folder, and what was asked."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[ref[Columns], T]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, columns: Columns) -> T | None:
        kept = self._answers.get(key)
        return kept[1] if kept is not None and kept[0]() is columns else None

    def keep(self, key: Hashable, columns: Columns, answer: T) -> None:
        if len(columns.uids) not in WORTH_KEEPING:
            return
        with self._lock:
            self._answers.pop(key, None)
            self._answers[key] = (ref(columns), answer)
            if len(self._answers) > ANSWERS_KEPT:
                self._answers.popitem(last=False)
