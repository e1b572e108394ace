"""The lessons that wait: what a person did with mail over IMAP, noted in the transaction of the command.

Migration 0005 has the rules: what comes into the folder with the use \\Junk (moved, copied or appended) and what is
given `$Junk` is spam, what leaves that folder for any but Trash and what is given `$NotJunk` is ham; what is answered
is ham, unless the user has said otherwise. Only events with the cause "imap" teach. A folder below Spam is Spam.

In a shared folder a lesson is a vote of the folder's owner. A mailbox's lessons are learned in the order of its
journal, by one worker at a time.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.mailstore.stored_messages import read_content
from accounts.mailstore.values import MailboxId, MessageId
from routing.spam_models.learning import keys_of_content
from routing.spam_models.models_of import Connection, models_of
from routing.spam_models.voting import Vote, vote

TURN = 6_000_000_000_000_000_000  # and the mailbox's id: the number of the advisory lock
MESSAGES_A_TURN = 100

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taught:
    """A message that a user said something new about."""

    message: MessageId
    is_spam: bool


@dataclass(frozen=True, slots=True)
class _Lesson:
    event: int
    lesson: str
    messages: list[int]


def waiting(db: Connection, limit: int) -> list[MailboxId]:
    """Mailboxes with lessons, those that have waited longest first."""
    rows = db.execute(
        "SELECT mailbox_id FROM routing_spam_lesson GROUP BY 1 ORDER BY min(at) LIMIT %s", (limit,)
    )
    return [MailboxId(row[0]) for row in rows]


def learn_some(db: Connection, mailbox: MailboxId) -> list[Taught] | None:
    """A transaction of learning, which takes the lessons off the list; `db` is in autocommit.

    None when nothing waits, or another worker is at it. Raises what reading the mail raises: its lessons wait.
    """
    with db.transaction():
        row = db.execute("SELECT pg_try_advisory_xact_lock(%s)", (TURN + mailbox,)).fetchone()
        lessons = list(_first(db, mailbox)) if row and row[0] else []
        if not lessons:
            return None
        taught = _learn(db, mailbox, lessons)
        _take_off(db, mailbox, lessons)
        return taught


def _first(db: Connection, mailbox: MailboxId) -> Iterator[_Lesson]:
    """The oldest lessons, of the last as many messages as there is room for."""
    room = MESSAGES_A_TURN
    for event, lesson, messages in db.execute(
        "SELECT event_id, lesson, message_ids FROM routing_spam_lesson"
        " WHERE mailbox_id = %s ORDER BY event_id LIMIT %s",
        (mailbox, MESSAGES_A_TURN),
    ).fetchall():
        if room <= 0:
            break
        yield _Lesson(event, lesson, messages[:room])
        room -= len(messages)


def _learn(db: Connection, mailbox: MailboxId, lessons: list[_Lesson]) -> list[Taught]:
    models = models_of(db, mailbox)
    if models is None:
        return []
    votes: dict[bytes, Vote] = {}
    messages: dict[bytes, MessageId] = {}
    for lesson in lessons:
        is_answer = lesson.lesson == "answered"
        for message in map(MessageId, lesson.messages):
            stored = read_content(db, mailbox, message)
            if stored is None or (is_answer and stored.sha256 in votes):
                continue
            try:
                keys = keys_of_content(stored.prefix + stored.content)
            except (
                Exception
            ):  # an error of ours: the lessons after it are not to wait for its repair
                log.exception("message %s of mailbox %s teaches nothing", message, mailbox)
                continue
            votes[stored.sha256] = Vote(lesson.lesson == "spam", keys, is_answer)
            messages[stored.sha256] = message
    news = vote(db, models, votes) if votes else {}
    return [Taught(messages[sha256], one.is_spam) for sha256, one in news.items()]


def _take_off(db: Connection, mailbox: MailboxId, lessons: list[_Lesson]) -> None:
    """The last one may have more messages than there was room for."""
    *_, last = lessons
    db.execute(
        "UPDATE routing_spam_lesson SET message_ids = message_ids[%s:]"
        " WHERE mailbox_id = %s AND event_id = %s",
        (len(last.messages) + 1, mailbox, last.event),
    )
    db.execute(
        "DELETE FROM routing_spam_lesson"
        " WHERE mailbox_id = %s AND event_id <= %s AND (event_id < %s OR message_ids = '{}')",
        (mailbox, last.event, last.event),
    )
