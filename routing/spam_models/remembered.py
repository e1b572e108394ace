"""What a process remembers of the models for a while: most tokens of a message stood in those before it.

Nothing here is more than a copy: a model's counts are dropped once it has been trained, which is noticed within
MODELS_SECONDS, and all of them when there are too many. Threads share it without a lock: two that miss the same write
the same.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from accounts.mailstore.values import MailboxId
from routing.spam.classifier import Counts, Totals

MODELS_SECONDS = 5.0
MAILBOXES_MAXIMUM = 10_000
TOKENS_MAXIMUM = 100_000

Known = Counts | Literal[False]
"""False: the token never stood in what was learned."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that has learned enough to be asked, as it was at `trained_at`."""

    id: int
    totals: Totals
    trained_at: datetime


@dataclass(frozen=True, slots=True)
class Judges:
    """Who judges a mailbox's mail: its domain's model and the user's own, where they have learned enough."""

    domain: Model | None = None
    own: Model | None = None


@dataclass(slots=True)
class Remembered:
    """Of one process."""

    _judges: dict[MailboxId, tuple[float, Judges]] = field(default_factory=dict)
    _counts: dict[int, tuple[datetime, dict[int, Known]]] = field(default_factory=dict)
    _tokens: int = 0

    def judges(self, mailboxes: Iterable[MailboxId]) -> dict[MailboxId, Judges]:
        """Those that were seen lately."""
        now = time.monotonic()
        found = ((mailbox, self._judges.get(mailbox)) for mailbox in mailboxes)
        return {mailbox: known[1] for mailbox, known in found if known and known[0] > now}

    def keep_judges(self, found: Mapping[MailboxId, Judges]) -> None:
        if len(self._judges) + len(found) > MAILBOXES_MAXIMUM:
            self._judges.clear()
        until = time.monotonic() + MODELS_SECONDS
        self._judges.update((mailbox, (until, judges)) for mailbox, judges in found.items())

    def counts(self, model: Model, keys: Iterable[int]) -> list[Known | None]:
        """Of each key in turn; None where it is not remembered."""
        return list(map(self._of(model).get, keys))

    def keep_counts(self, model: Model, found: Mapping[int, Known]) -> None:
        if self._tokens + len(found) > TOKENS_MAXIMUM:
            self._counts.clear()
            self._tokens = 0
        self._tokens += len(found)
        self._of(model).update(found)

    def _of(self, model: Model) -> dict[int, Known]:
        """Of the newest of the model that was seen: for some seconds two mailboxes may know different ones."""
        trained_at, counts = self._counts.get(model.id, (None, {}))
        if trained_at is None or trained_at < model.trained_at:
            self._tokens -= len(counts)
            counts = {}
            self._counts[model.id] = (model.trained_at, counts)
        return counts
