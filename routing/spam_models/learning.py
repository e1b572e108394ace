"""Teaching a domain's model from a collection of mail, as an administrator does it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice

from routing.spam.tokens import keys_of, tokens_of
from routing.spam_models.counting import Keys
from routing.spam_models.models_of import Connection, domain_model
from routing.spam_models.voting import Vote, teach

BATCH = 200  # messages a transaction


@dataclass(frozen=True, slots=True)
class Learned:
    """How many messages there were, and how many of them the administrator had not taught so before."""

    messages: int
    news: int


def keys_of_content(content: bytes) -> Keys:
    """The keys of a message's tokens."""
    return list(keys_of(tokens_of(content)))


def learn(db: Connection, domain: int, lessons: Iterable[tuple[bytes, bool]]) -> Iterator[Learned]:
    """Teach messages as spam (True) or ham (False); what was done so far, after each batch. `db` is in autocommit.

    A message is counted once however often it comes; of two classes the last is learned.
    """
    model = domain_model(db, domain)
    lessons = iter(lessons)
    messages = news = 0
    while batch := list(islice(lessons, BATCH)):
        votes = {
            sha256(content).digest(): Vote(is_spam, keys_of_content(content))
            for content, is_spam in batch
        }
        with db.transaction():
            news += len(teach(db, model, votes))
        messages += len(batch)
        yield Learned(messages, news)
