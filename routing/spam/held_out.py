"""How well a model would do on mail that it does not know: each fifth of its messages is judged by the other four."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from routing.spam.classifier import Counts, Totals, classify
from routing.spam.measures import Judged

FIFTHS = 5


@dataclass(frozen=True, slots=True)
class Known:
    """A message as it was learned. `sha256` of its content chooses its fifth: the same in each run."""

    sha256: bytes
    keys: Sequence[int]
    is_spam: bool

    @property
    def fifth(self) -> int:
        return int.from_bytes(self.sha256[:4]) % FIFTHS


class Tally:
    """How many messages held each key, by class."""

    def __init__(self, messages: Iterable[Known]) -> None:
        self.keys: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
        self.messages = {True: 0, False: 0}
        for message in messages:
            self.keys[message.is_spam].update(message.keys)
            self.messages[message.is_spam] += 1


def judge_held_out(messages: Sequence[Known]) -> Judged:
    """Empty where four fifths are not enough to judge by."""
    whole = Tally(messages)
    return [one for fifth in range(FIFTHS) for one in _judge(fifth, messages, whole)]


def _judge(fifth: int, messages: Sequence[Known], whole: Tally) -> Iterator[tuple[float, bool]]:
    held_out = [message for message in messages if message.fifth == fifth]
    without = Tally(held_out)
    totals = Totals(*(whole.messages[each] - without.messages[each] for each in (True, False)))
    for message in held_out:
        counts = {
            key: Counts(spam, ham)
            for key in message.keys
            for spam, ham in [
                [whole.keys[each][key] - without.keys[each][key] for each in (True, False)]
            ]
            if spam or ham
        }
        if judged := classify(dict.fromkeys(message.keys, ""), counts, totals):
            yield judged.points, message.is_spam
