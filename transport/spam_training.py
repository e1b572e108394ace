"""Learns what users teach about spam, on a worker: no command waits for it, and a crash loses nothing.

A lesson is noted in the transaction of the IMAP command (`routing.spam_models.lessons`), and leaves its list in the one
that learns it. Any number of workers may do this at once. What other filters are to learn is passed on after the commit:
they hear of it once, or, when the worker dies meanwhile, not at all.
"""

import logging
import time
from collections.abc import Callable

import psycopg

from accounts.mailstore.stored_messages import read_content
from accounts.mailstore.values import MailboxId
from routing.spam_models.lessons import Taught, learn_some, waiting
from transport.database_threads import Connection

MAILBOXES_A_RUN = 200
SECONDS_A_RUN = 50.0

log = logging.getLogger(__name__)


PassOn = Callable[[bytes, bool], None]
"""Told of a message as it is stored, and whether it is spam."""


def learn_lessons(db: Connection, pass_on: PassOn | None = None) -> int:
    """Learn what waits, as far as one run goes; how many votes were news. `db` is in autocommit.

    A mailbox that fails waits for the next run.
    """
    until = time.monotonic() + SECONDS_A_RUN
    count = 0
    mailboxes = waiting(db, MAILBOXES_A_RUN)
    while (
        mailboxes and time.monotonic() < until
    ):  # in turns: one that teaches much holds up no other
        learned = {mailbox: _learn_some(db, mailbox, pass_on) for mailbox in mailboxes}
        count += sum(filter(None, learned.values()))
        mailboxes = [mailbox for mailbox in mailboxes if learned[mailbox] is not None]
    return count


def _learn_some(db: Connection, mailbox: MailboxId, pass_on: PassOn | None) -> int | None:
    """How many votes were news; None when the mailbox has no more to teach in this run."""
    try:
        taught = learn_some(db, mailbox)
        if pass_on is not None:
            for one in taught or ():
                _pass_on(db, mailbox, one, pass_on)
    except (psycopg.Error, OSError):
        log.exception("mailbox %s could not teach what its user did", mailbox)
        if db.closed:
            raise
        return None
    return None if taught is None else len(taught)


def _pass_on(db: Connection, mailbox: MailboxId, taught: Taught, pass_on: PassOn) -> None:
    stored = read_content(db, mailbox, taught.message)
    if stored is None:
        return
    try:
        pass_on(stored.prefix + stored.content, taught.is_spam)
    except Exception:
        log.exception("message %s of mailbox %s was not passed on", taught.message, mailbox)
