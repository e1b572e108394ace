"""Drains: from the queue's rows through a real peer to outcomes, reports and trace."""

import dataclasses
import email
import email.policy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import psycopg
import pytest

from accounts.mailstore.blobs import read_blob
from accounts.models import User
from accounts.secrets import encrypt
from tests.certificates import make_certificate
from tests.factories import MakeDomain, MakeUser
from tests.smtp_peer import DROP, SmtpPeer
from tests.transport.queue.conftest import CONTENT, Queue
from transport.database_threads import Connection, connection_string
from transport.outbound.wire import TimeLimits
from transport.queue.enqueue import QueueRecipient
from transport.queue.operations import return_to_sender, try_now
from transport.queue.sweep import due_hops, make_missing_keys, prune_finished
from transport.signing_keys import dns_records


def mail_of(database: Connection, user: User) -> list[EmailMessage]:
    """What is in the user's mailbox."""
    rows = database.execute(
        "SELECT blob_id, prefix FROM mail_message WHERE owner_id = %s ORDER BY id",
        [user.mailbox.pk],
    ).fetchall()
    return [
        email.message_from_bytes(
            bytes(prefix) + read_blob(database, blob_id), policy=email.policy.default
        )
        for blob_id, prefix in rows
    ]


def test_a_message_is_delivered_and_traced(queue: Queue) -> None:
    enqueued = queue.enqueue("bob", prefix=b"DKIM-Signature: x\r\n")
    queue.drain()
    [message] = queue.peer.wait_for_messages(1)
    assert message.content == b"DKIM-Signature: x\r\n" + CONTENT
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    [(step, result, reason, recipient, detail)] = queue.trace(enqueued)
    assert (step, result, recipient) == ("send", "delivered", f"bob@{queue.hop}")
    assert reason == "250 2.0.0 taken"
    assert detail["host"] == f"mx.{queue.hop}"
    assert detail["address"] == "127.0.0.1"


def test_a_drain_ends_when_nothing_is_due(queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue()
    assert queue.drain() is False
    assert len(queue.peer.messages) == 3
    assert queue.peer.connections == 1


def test_a_temporary_failure_is_tried_again_later(queue: Queue) -> None:
    queue.peer.reply("RCPT", "451 4.7.1 greylisted", "250 ok")
    enqueued = queue.enqueue()
    queue.drain()
    [row] = queue.rows(enqueued)
    assert (row["state"], row["attempts"], row["last_status"]) == ("waiting", 1, "4.7.1")
    assert row["last_reply"] == "451 4.7.1 greylisted"
    assert timedelta(minutes=4) < row["delay"] < timedelta(minutes=6)
    assert (row["lease_token"], row["lease_until"]) == (None, None)
    queue.drain()
    assert queue.peer.messages == []
    queue.make_due(enqueued)
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    assert [event[1] for event in queue.trace(enqueued)] == ["deferred", "delivered"]


def test_recipients_have_outcomes_of_their_own(queue: Queue) -> None:
    queue.peer.reply(f"RCPT a@{queue.hop}", "550 5.1.1 who?")
    queue.peer.reply(f"RCPT b@{queue.hop}", "450 4.2.1 busy")
    enqueued = queue.enqueue("a", "b", "c")
    queue.drain()
    assert queue.states(enqueued) == {
        "a": ("failed", "5.1.1"),
        "b": ("waiting", "4.2.1"),
        "c": ("delivered", "2.0.0"),
    }


def test_recipients_beyond_the_peers_maximum_follow_at_once(queue: Queue) -> None:
    queue.peer.reply("RCPT", "250 ok", "452 4.5.3 too many recipients", "250 ok")
    enqueued = queue.enqueue("a", "b")
    queue.drain()
    assert queue.states(enqueued) == {"a": ("delivered", "2.0.0"), "b": ("delivered", "2.0.0")}
    assert [one.forward_paths for one in queue.peer.messages] == [
        [f"a@{queue.hop}"],
        [f"b@{queue.hop}"],
    ]


def test_a_peer_that_takes_no_recipient_at_all_is_not_hurried(queue: Queue) -> None:
    queue.peer.reply("RCPT", "452 4.5.3 too many recipients")
    enqueued = queue.enqueue("a", "b")
    assert queue.drain() is False
    assert [row["attempts"] for row in queue.rows(enqueued)] == [1, 1]


def test_a_dead_hop_is_tried_once_a_drain(queue: Queue) -> None:
    queue.peer.reply("CONNECT", "421 4.3.2 closed")
    sent = [queue.enqueue() for _ in range(5)]
    queue.drain()
    assert queue.peer.connections == 1
    assert [queue.states(one)["bob"] for one in sent] == [("waiting", "4.3.2")] * 5


def test_an_error_of_our_own_defers_the_message(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueued = queue.enqueue()
    monkeypatch.setattr("transport.queue.drain.read_blob", lambda *_: 1 / 0)
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("waiting", "4.3.0")}


def test_an_error_of_our_own_defers_local_mail_too(
    queue: Queue, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = make_user()
    enqueued = queue.enqueue(QueueRecipient(ann.address, is_local=True))
    monkeypatch.setattr("transport.queue.drain.submit_internal", lambda *_, **__: 1 / 0)
    queue.drain("local:")
    assert list(queue.states(enqueued).values()) == [("waiting", "4.3.0")]


# the sender hears of it


def test_a_local_sender_gets_a_dsn(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    queue.peer.reply("RCPT", "550 5.1.1 no such user")
    enqueued = queue.enqueue(
        QueueRecipient(f"bob@{queue.hop}", orcpt="rfc822;bob+2Bx@old.test"),
        reverse_path=ann.address,
        domain_name=ann.domain.name,
        envid="id+2B1",
    )
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("failed", "5.1.1")}
    [report] = mail_of(queue.database, ann)
    assert report["Return-Path"] == "<>"
    assert report["To"] == ann.address or report["To"] == f"<{ann.address}>"
    assert report.get_content_type() == "multipart/report"
    text, status, original = report.iter_parts()
    assert "550 5.1.1 no such user" in text.get_content()
    per_message, per_recipient = status.get_payload()
    assert per_message["Original-Envelope-Id"] == "id+1"
    assert per_recipient["Original-Recipient"] == "rfc822; bob+x@old.test"
    assert per_recipient["Final-Recipient"] == f"rfc822; bob@{queue.hop}"
    assert (per_recipient["Action"], per_recipient["Status"]) == ("failed", "5.1.1")
    assert per_recipient["Remote-MTA"] == f"dns; mx.{queue.hop}"
    assert original.get_content_type() == "text/rfc822-headers"
    assert "Subject: hello" in original.get_payload()
    assert queue.folders


def test_a_remote_sender_gets_a_dsn_over_the_queue(queue: Queue) -> None:
    queue.peer.reply(f"RCPT bob@{queue.hop}", "550 5.1.1 no such user")
    queue.enqueue("bob", reverse_path=f"eve@{queue.hop}", ret="FULL")
    queue.drain()
    [report] = queue.peer.wait_for_messages(1)
    assert report.reverse_path == ""
    assert report.forward_paths == [f"eve@{queue.hop}"]
    assert CONTENT in report.content
    assert queue.hop in queue.announced


def test_nothing_follows_a_failure_of_the_null_path(queue: Queue) -> None:
    queue.peer.reply("RCPT", "550 5.1.1 no such user")
    enqueued = queue.enqueue("bob", reverse_path="")
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("failed", "5.1.1")}
    assert [event[0] for event in queue.trace(enqueued)] == ["send"]


def test_one_dsn_tells_of_all_that_failed_at_once(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    queue.peer.reply("RCPT", "550 5.1.1 no such user")
    queue.enqueue(
        "a", "b", QueueRecipient(f"c@{queue.hop}", notify="NEVER"), reverse_path=ann.address
    )
    queue.drain()
    [report] = mail_of(queue.database, ann)
    fields = [part["Final-Recipient"] for part in list(report.iter_parts())[1].get_payload()]
    assert fields == [None, f"rfc822; a@{queue.hop}", f"rfc822; b@{queue.hop}"]


def test_after_five_days_the_message_is_returned(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    queue.peer.reply("RCPT", "450 4.2.1 busy")
    enqueued = queue.enqueue(reverse_path=ann.address)
    queue.age(enqueued, "5 hours")
    queue.drain()
    queue.age(enqueued, "5 hours")
    queue.drain()
    queue.age(enqueued, "5 days")
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("failed", "4.4.7")}
    delay, failure = mail_of(queue.database, ann)
    assert "Delayed" in delay["Subject"]
    assert "Undelivered" in failure["Subject"]


def test_notify_success_is_answered_where_the_peer_will_not(
    queue: Queue, make_user: MakeUser
) -> None:
    ann = make_user()
    bob = QueueRecipient(f"bob@{queue.hop}", notify="SUCCESS")
    queue.enqueue(bob, reverse_path=ann.address)
    queue.drain()
    assert mail_of(queue.database, ann) == []
    queue.peer.extensions = ("PIPELINING",)
    queue.enqueue(bob, reverse_path=ann.address)
    queue.drain()
    [report] = mail_of(queue.database, ann)
    assert list(report.iter_parts())[1].get_payload()[1]["Action"] == "relayed"


def test_a_sender_whose_mailbox_is_full_is_told_later(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    set_quota(queue, ann, 0)
    queue.peer.reply("RCPT", "550 5.1.1 no such user")
    queue.enqueue(reverse_path=ann.address)
    queue.drain()
    assert mail_of(queue.database, ann) == []
    assert "local:" in queue.announced
    queue.drain("local:")
    set_quota(queue, ann, None)
    make_local_due(queue, ann)
    queue.drain("local:")
    [report] = mail_of(queue.database, ann)
    assert report.get_content_type() == "multipart/report"


def set_quota(queue: Queue, user: User, quota: int | None) -> None:
    queue.database.execute(
        "UPDATE accounts_mailbox SET quota_bytes = %s WHERE id = %s", [quota, user.mailbox.pk]
    )


def make_local_due(queue: Queue, user: User) -> None:
    queue.database.execute(
        "UPDATE transport_queuedrecipient SET next_attempt_at = now() WHERE forward_path = %s",
        [user.address],
    )


def test_a_full_mailbox_gets_its_copy_when_there_is_room(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    set_quota(queue, ann, 0)
    enqueued = queue.enqueue(
        QueueRecipient(ann.address, is_local=True), reverse_path="eve@else.test"
    )
    queue.drain("local:")
    assert set(queue.states(enqueued).values()) == {("waiting", "4.2.2")}
    set_quota(queue, ann, None)
    queue.make_due(enqueued)
    queue.drain("local:")
    assert set(queue.states(enqueued).values()) == {("delivered", "2.0.0")}
    [message] = mail_of(queue.database, ann)
    assert message["Subject"] == "hello"
    queue.drain("local:")
    assert len(mail_of(queue.database, ann)) == 1


def test_without_a_report_a_failure_waits_and_a_success_stands(
    queue: Queue, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = make_user()
    queue.peer.reply(f"RCPT a@{queue.hop}", "550 5.1.1 no such user")
    enqueued = queue.enqueue("a", "b", reverse_path=ann.address)
    monkeypatch.setattr("transport.queue.returning.build_report", lambda *_, **__: 1 / 0)
    queue.drain()
    assert queue.states(enqueued) == {"a": ("waiting", "4.3.0"), "b": ("delivered", "2.0.0")}
    monkeypatch.undo()
    queue.make_due(enqueued)
    queue.drain()
    assert queue.states(enqueued) == {"a": ("failed", "5.1.1"), "b": ("delivered", "2.0.0")}
    assert len(mail_of(queue.database, ann)) == 1
    assert len(queue.peer.messages) == 1


# relays


def set_relay(queue: Queue, domain_id: int, **values: Any) -> None:
    fields = {"host": "relay.test", "port": queue.peer.port, "tls": "opportunistic"} | values
    queue.database.execute("DELETE FROM transport_relay WHERE domain_id = %s", [domain_id])
    queue.database.execute(
        "INSERT INTO transport_relay (domain_id, host, port, tls, username, password_encrypted, ca_file)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        [
            domain_id,
            fields["host"],
            fields["port"],
            fields["tls"],
            fields.get("username", ""),
            encrypt(fields["password"]) if "password" in fields else "",
            fields.get("ca_file", ""),
        ],
    )


def test_the_relay_of_the_domain_takes_its_mail(
    queue: Queue, make_user: MakeUser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ann = make_user()
    certificate = make_certificate(tmp_path_factory.mktemp("relay"), "relay.test")
    with SmtpPeer(certificate=certificate, users={"us": "secret"}) as relay:
        queue.dns.add("relay.test", "A", relay.host)
        set_relay(
            queue,
            ann.domain.pk,
            port=relay.port,
            tls="automatic",
            username="us",
            password="secret",
            ca_file=str(certificate.ca_file),
        )
        enqueued = queue.enqueue("bob@far.test", "carol@away.test", domain_name=ann.domain.name)
        [hop] = enqueued.next_hops
        assert hop.startswith("relay:")
        queue.drain(hop)
        [message] = relay.wait_for_messages(1)
        assert message.login == "us"
        assert message.forward_paths == ["bob@far.test", "carol@away.test"]
        assert set(queue.states(enqueued).values()) == {("delivered", "2.0.0")}


def test_waiting_mail_follows_a_relay_that_comes_or_goes(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    enqueued = queue.enqueue(domain_name=ann.domain.name)
    queue.dns.add("relay.test", "A", queue.peer.host)
    set_relay(queue, ann.domain.pk)
    queue.drain()
    assert queue.peer.messages == []
    [relay_hop] = queue.announced
    queue.announced.clear()
    queue.database.execute("DELETE FROM transport_relay WHERE domain_id = %s", [ann.domain.pk])
    queue.drain(relay_hop)
    assert queue.announced == {queue.hop}
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    assert [row["attempts"] for row in queue.rows(enqueued)] == [1]


def test_a_relay_password_that_cannot_be_read_waits(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    set_relay(queue, ann.domain.pk, username="us")
    queue.database.execute(
        "UPDATE transport_relay SET password_encrypted = 'garbage' WHERE domain_id = %s",
        [ann.domain.pk],
    )
    enqueued = queue.enqueue("bob@far.test", domain_name=ann.domain.name)
    queue.drain(enqueued.next_hops[0])
    assert queue.states(enqueued) == {"bob": ("waiting", "4.3.5")}


# leases


def test_a_slow_peer_is_waited_for_while_others_find_nothing_to_do(queue: Queue) -> None:
    gate = queue.peer.hold(".")
    enqueued = queue.enqueue()
    thread = threading.Thread(target=queue.drain)
    thread.start()
    queue.peer.wait_for_stage(".")
    queue.drain()
    assert len(queue.peer.messages) == 0
    gate.set()
    thread.join()
    assert len(queue.peer.messages) == 1
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}


def test_a_peer_that_hangs_up_in_mid_content_gets_it_again_later(queue: Queue) -> None:
    queue.peer.reply("BODY", DROP, "")
    enqueued = queue.enqueue()
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("waiting", "4.4.2")}
    queue.make_due(enqueued)
    queue.drain()
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    assert len(queue.peer.messages) == 1


def test_a_worker_that_stops_ends_with_the_message_it_is_sending(queue: Queue) -> None:
    sent = [queue.enqueue() for _ in range(3)]
    queue.worker = dataclasses.replace(
        queue.worker, is_stopping=lambda: len(queue.peer.messages) >= 1
    )
    assert queue.drain() is False
    states = [queue.states(one)["bob"][0] for one in sent]
    assert states == ["delivered", "waiting", "waiting"]


def test_a_database_that_restarts_while_a_peer_is_slow_is_waited_for(queue: Queue) -> None:
    name = f"worker of {queue.hop}"

    def connect_by_name() -> Connection:
        return psycopg.connect(connection_string(), autocommit=True, application_name=name)

    calls = 0

    @contextmanager
    def connect_on_and_off() -> Iterator[Connection]:
        """Each third connection is cut as soon as it is there."""
        nonlocal calls
        calls += 1
        with connect_by_name() as db:
            if calls % 3 == 0:
                queue.database.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
                    [name],
                )
            yield db

    gate = queue.peer.hold(".")
    enqueued = queue.enqueue()
    thread = threading.Thread(target=queue.drain)
    thread.start()
    queue.peer.wait_for_stage(".")
    # the claim is made; from now on connections break
    calls = 2
    object.__setattr__(queue.worker, "connect", connect_on_and_off)
    gate.set()
    thread.join()
    assert calls >= 4
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    assert len(queue.peer.messages) == 1
    assert [event[1] for event in queue.trace(enqueued)] == ["delivered"]


# what an administrator does


def test_try_now_makes_a_recipient_due(queue: Queue) -> None:
    queue.peer.reply("RCPT", "451 4.7.1 later", "250 ok")
    enqueued = queue.enqueue()
    queue.drain()
    [row] = queue.rows(enqueued)
    assert queue.hop not in due_hops(queue.database)
    assert try_now(queue.database, [row["id"]]).next_hops == {queue.hop}
    assert queue.hop in due_hops(queue.database)


def test_return_to_sender_makes_a_dsn_now(queue: Queue, make_user: MakeUser) -> None:
    ann = make_user()
    enqueued = queue.enqueue("a", "b", reverse_path=ann.address)
    return_to_sender(queue.database, [row["id"] for row in queue.rows(enqueued)])
    assert queue.states(enqueued) == {"a": ("failed", "5.7.0"), "b": ("failed", "5.7.0")}
    [report] = mail_of(queue.database, ann)
    assert "returned by the administrator" in report.as_string()


# the sweep


def test_the_sweep_sees_what_is_due_and_not_what_is_being_sent(queue: Queue) -> None:
    queue.enqueue()
    assert queue.hop in due_hops(queue.database)
    gate = queue.peer.hold(".")
    thread = threading.Thread(target=queue.drain)
    thread.start()
    queue.peer.wait_for_stage(".")
    assert queue.hop not in due_hops(queue.database)
    gate.set()
    thread.join()
    assert queue.hop not in due_hops(queue.database)


def test_finished_messages_go_after_a_day_and_waiting_ones_never(queue: Queue) -> None:
    done, fresh, waiting = queue.enqueue("a"), queue.enqueue("b"), queue.enqueue("c")
    queue.peer.reply(f"RCPT c@{queue.hop}", "450 later")
    queue.drain()
    for one in (done, waiting):
        queue.age(one, "30 hours")
    queue.database.execute(
        "UPDATE transport_queuedrecipient SET finished_at = finished_at - interval '30 hours' WHERE message_id = %s",
        [done.queue_id],
    )
    prune_finished(queue.database)
    assert [len(queue.rows(one)) for one in (done, fresh, waiting)] == [0, 1, 1]


def test_the_sweep_makes_the_keys_of_a_new_domain(queue: Queue, make_domain: MakeDomain) -> None:
    domain = make_domain()
    assert dns_records(queue.database, domain.name) == ()
    make_missing_keys(queue.database, 1)
    kinds = [one.value.split("; p=")[0] for one in dns_records(queue.database, domain.name)]
    assert kinds == ["v=DKIM1; k=rsa", "v=DKIM1; k=ed25519"]


def test_time_limits_come_from_the_rfc() -> None:
    limits = TimeLimits()
    assert dataclasses.astuple(limits)[3:7] == (300, 120, 180, 600)
