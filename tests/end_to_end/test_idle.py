"""IDLE hears of a delivery within 50 ms, whichever process it idles in (median of many deliveries)."""

import statistics
import time
from contextlib import ExitStack

from imapclient import IMAPClient

from tests.end_to_end.mail import make_message
from tests.end_to_end.servers import Server

DELIVERIES = 25
LISTENERS = 6  # more than there are processes, so that every one of them has some
LIMIT_SECONDS = 0.050


def hear(client: IMAPClient, count: int) -> None:
    """Return when the server has told of `count` messages."""
    deadline = time.monotonic() + 5
    while (left := deadline - time.monotonic()) > 0:
        if (count, b"EXISTS") in client.idle_check(timeout=left):
            return
    raise AssertionError(f"nothing was heard of message {count}")


def test_every_idling_client_hears_of_a_delivery_within_50_ms(server: Server) -> None:
    address = "idler@example.test"
    server.add_users(address)
    waits = []
    with ExitStack() as stack:
        listeners = [stack.enter_context(server.imap(address)) for _ in range(LISTENERS)]
        for listener in listeners:
            listener.select_folder("INBOX")
            listener.idle()
        sender = stack.enter_context(server.smtp())
        for number in range(1, DELIVERIES + 1):
            message = make_message("p@sender.test", address, f"Idle {number}")
            sender.sendmail("p@sender.test", [address], message)
            began = time.perf_counter()  # the 250 has come
            for listener in listeners:
                hear(listener, number)
            waits.append(time.perf_counter() - began)  # the slowest of all
        for listener in listeners:
            listener.idle_done()
    assert statistics.median(waits) <= LIMIT_SECONDS, sorted(waits)
