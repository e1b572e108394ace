"""Learns what users teach about spam, on a worker: no command waits for it, and a crash loses nothing.

A lesson is noted in the transaction of the IMAP command (`routing.spam_models.lessons`), and leaves its list in the one
that learns it. Any number of workers may do this at once.
"""

import logging
import time

import psycopg

from routing.spam_models.lessons import learn_some, waiting
from transport.database_threads import Connection

MAILBOXES_A_RUN = 200
SECONDS_A_RUN = 50.0

log = logging.getLogger(__name__)


def learn_lessons(db: Connection) -> int:
    """Learn what waits, as far as one run goes; how many votes were news. `db` is in autocommit.

    A mailbox that fails waits for the next run.
    """
    until = time.monotonic() + SECONDS_A_RUN
    count = 0
    for mailbox in waiting(db, MAILBOXES_A_RUN):
        try:
            while time.monotonic() < until and (taught := learn_some(db, mailbox)) is not None:
                count += len(taught)
        except (psycopg.Error, OSError):
            log.exception("mailbox %s could not teach what its user did", mailbox)
            if db.closed:
                raise
    return count
