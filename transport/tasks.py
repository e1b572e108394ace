"""Celery's tasks of `transport`. A task is a wake-up: what it does stands in the queue's rows, not in its arguments.

Run them with `celery -A mailsite worker -P threads`. A task that is lost with a worker or the broker loses nothing:
the sweep, which beat starts every few seconds, finds every row that is due.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

from celery import current_app, shared_task
from celery.signals import worker_shutting_down
from django.conf import settings

from accounts.mailstore import sweep as mailstore_sweep
from accounts.mailstore.values import FolderId
from routing.filtering.memories import forget_expired
from transport.dmarc_reports.sending import send_reports
from transport.dns.resolver import resolver
from transport.filters.teaching import Teacher
from transport.imap_scripts import follow_events
from transport.key_publication import check_publication
from transport.notifier import publish_now
from transport.outbound.delivery import Outside
from transport.outbound.mta_sts_policies import StsPolicies
from transport.queue import drain as queue_drain
from transport.queue.connections import connect, connect_for_long
from transport.queue.leases import LeaseKeeper
from transport.queue.schedule import RetrySchedule
from transport.queue.sweep import due_hops, make_missing_keys, prune_finished
from transport.queue.wakeups import wake
from transport.quota_warnings import warn_users
from transport.sending_alarms import tell_administrator
from transport.spam_training import learn_lessons

WAKEUP_EXPIRES_SECONDS = 600  # a wake-up that no worker took by then is left to the sweep
DRAINS_A_HOP = 4  # at once in one worker process

log = logging.getLogger(__name__)

_running: Counter[str] = Counter()
_running_lock = threading.Lock()
_stopping = threading.Event()


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def stop_drains(**_: object) -> None:
    """A worker that is asked to end finishes the messages that it is sending, and claims no more."""
    _stopping.set()


@shared_task(name="transport.drain")  # type: ignore[untyped-decorator]
def drain(next_hop: str) -> None:
    """Send what is due for a next hop."""
    with _running_lock:
        if _running[next_hop] >= DRAINS_A_HOP:
            return
        _running[next_hop] += 1
    try:
        if queue_drain.drain(worker(), next_hop):
            wake([next_hop])
    finally:
        with _running_lock:
            _running[next_hop] -= 1
            if not _running[next_hop]:
                del _running[next_hop]


@shared_task(name="transport.sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Wake what is due; beat starts this every few seconds."""
    with connect() as db:
        next_hops = due_hops(db)
    wake(next_hops)
    with connect() as db:
        make_missing_keys(db)


@shared_task(name="transport.prune")  # type: ignore[untyped-decorator]
def prune() -> None:
    """Delete what was finished long ago."""
    with connect() as db:
        prune_finished(db)
        forget_expired(db)


@shared_task(name="transport.follow_imap_events")  # type: ignore[untyped-decorator]
def follow_imap_events() -> None:
    """Run the scripts that follow IMAP commands; beat starts this every few seconds."""
    with connect() as db:
        followed = follow_events(db)
    announce(followed.folders, followed.next_hops)


@shared_task(name="transport.learn_spam")  # type: ignore[untyped-decorator]
def learn_spam() -> None:
    """Learn what users taught about spam; beat starts this every few seconds."""
    with connect() as db:
        learn_lessons(db, Teacher(db).teach)


@shared_task(name="transport.warn_of_quotas")  # type: ignore[untyped-decorator]
def warn_of_quotas() -> None:
    """Tell users whose mailboxes are nearly full; beat starts this every minute."""
    with connect() as db:
        announce(warn_users(db), ())


@shared_task(name="transport.tell_of_limits")  # type: ignore[untyped-decorator]
def tell_of_limits() -> None:
    """Tell the administrator who has reached a limit of sending; beat starts this every minute."""
    with connect() as db:
        announce(*tell_administrator(db))


@shared_task(name="transport.sweep_store")  # type: ignore[untyped-decorator]
def sweep_store() -> None:
    """Let go of stored bytes that nothing has needed for weeks; beat starts this daily."""
    with connect_for_long() as db:
        mailstore_sweep.sweep(db)


@shared_task(name="transport.check_keys")  # type: ignore[untyped-decorator]
def check_keys() -> None:
    """Look whether the records of DKIM keys stand in DNS; beat starts this every ten minutes."""
    with connect_for_long() as db:
        check_publication(db, resolver().look_up_async)


@shared_task(name="transport.refresh_sts_policies")  # type: ignore[untyped-decorator]
def refresh_sts_policies() -> None:
    """Fetch MTA-STS policies anew that were not for a day; beat starts this every hour."""
    StsPolicies(connect, resolver()).refresh()


@shared_task(name="transport.send_dmarc_reports")  # type: ignore[untyped-decorator]
def send_dmarc_reports() -> None:
    """Tell domains what DMARC said of yesterday's mail from them."""
    with connect_for_long() as db:
        look_up = resolver().look_up_async
        wake(send_reports(db, settings.DMARC_REPORTS_FROM, look_up, datetime.now(UTC)))


def publish_drains(next_hops: list[str]) -> None:
    """Send a wake-up for each next hop; blocks, and raises what the broker's client raises."""
    with current_app.producer_or_acquire() as producer:
        for next_hop in next_hops:
            drain.apply_async(
                (next_hop,), producer=producer, retry=False, expires=WAKEUP_EXPIRES_SECONDS
            )


@cache
def worker() -> queue_drain.Worker:
    """What this process sends with."""
    outside = Outside(
        resolver(),
        settings.MAIL_HOSTNAME,
        settings.OUTBOUND_SMTP_PORT,
        sts_policy=StsPolicies(connect, resolver()).find,
        trusts_dns=settings.DNS_VALIDATES,
    )
    schedule = RetrySchedule(
        settings.RETRY_DELAYS, settings.RETRY_LIFETIME, settings.DELAY_NOTICE_AFTER
    )
    return queue_drain.Worker(
        connect, outside, LeaseKeeper(connect), announce, schedule, is_stopping=_stopping.is_set
    )


def announce(folders: Iterable[FolderId], next_hops: Iterable[str]) -> None:
    """Tell the IMAP processes and the workers what was just committed."""
    folders = tuple(folders)
    if folders:
        with connect() as db:
            publish_now(db, folders)
    wake(next_hops)
