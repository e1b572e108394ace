"""Groups, catch-alls, what leaves, and what is reported: the plan as it is carried out."""

from email import message_from_bytes
from typing import Any

import pytest

from tests.factories import PASSWORD
from tests.transport.smtp.test_receiving import MESSAGE, deliver
from tests.transport.smtp.test_submission import message_from

Rows = list[tuple[Any, ...]]


@pytest.fixture
def queued(database):
    """queued(forward_path) -> (reverse_path, prefix, notify, orcpt, envid, ret, next_hop) of each queue row."""

    def read(forward_path: str) -> Rows:
        return database.execute(
            "SELECT m.reverse_path, m.prefix, r.notify, r.orcpt, m.envid, m.ret, r.next_hop"
            " FROM transport_queuedrecipient r JOIN transport_queuedmessage m ON m.id = r.message_id"
            " WHERE r.forward_path = %s ORDER BY r.id",
            (forward_path,),
        ).fetchall()

    return read


def outside_address(domain: Any) -> str:
    return f"member@out-{domain.name}"


def test_a_group_reaches_every_member_once(dialogue, make_user, make_group, stored) -> None:
    first = make_user()
    second = make_user(domain=first.domain)
    inner = make_group(domain=first.domain, members=[second.address])
    group = make_group(domain=first.domain, members=[first.address, inner.address, second.address])
    deliver(dialogue, "a@s.example", group.address, first.address)
    for user in (first, second):
        (message,) = stored(user)
        assert f"Delivered-To: {group.address}\r\n".encode() in message


def test_a_group_with_a_tag(dialogue, make_user, make_group, stored) -> None:
    user = make_user()
    group = make_group(domain=user.domain, members=[user.address])
    deliver(dialogue, "a@s.example", f"{group.name}+x@{user.domain.name}")
    assert len(stored(user)) == 1


def test_an_outside_member_gets_it_under_a_rewritten_reverse_path(
    dialogue, make_user, make_group, stored, queued
) -> None:
    user = make_user()
    outside = outside_address(user.domain)
    group = make_group(domain=user.domain, members=[user.address, outside])
    deliver(dialogue, "a@s.example", group.address)
    assert len(stored(user)) == 1
    ((reverse_path, prefix, *_),) = queued(outside)
    assert reverse_path.startswith("srs0=")
    assert reverse_path.endswith(f"@{user.domain.name}")
    assert b"\r\nReceived: from " in bytes(prefix)  # below the Authentication-Results

    # a bounce to it goes back; anything else to it is refused
    assert dialogue.say("MAIL FROM:<b@s.example>").startswith("250")
    assert dialogue.say(f"RCPT TO:<{reverse_path}>").startswith("550 5.1.1")
    dialogue.say("RSET")
    deliver(dialogue, "", reverse_path, content=MESSAGE + user.address.encode() + b"\r\n")
    assert [row[0] for row in queued("a@s.example")][-1] == ""


def test_null_stays_null_when_forwarded(dialogue, make_domain, make_group, queued) -> None:
    domain = make_domain()
    outside = outside_address(domain)
    group = make_group(domain=domain, members=[outside])
    deliver(dialogue, "", group.address)
    assert [row[0] for row in queued(outside)] == [""]


def test_a_catch_all_of_several_mailboxes(dialogue, make_user, stored) -> None:
    users = [make_user()]
    users.append(make_user(domain=users[0].domain))
    users[0].domain.catch_all.set([user.mailbox for user in users])
    anything = f"anything@{users[0].domain.name}"
    deliver(dialogue, "a@s.example", anything)
    for user in users:
        (message,) = stored(user)
        assert f"Delivered-To: {anything}\r\n".encode() in message


def test_a_full_member_of_a_group_gets_its_copy_from_the_queue(
    dialogue, make_user, make_group, stored, queued
) -> None:
    user = make_user()
    full = make_user(domain=user.domain, quota_bytes=0)
    group = make_group(domain=user.domain, members=[user.address, full.address])
    assert deliver(dialogue, "a@s.example", group.address).startswith("250 2.0.0")
    assert len(stored(user)) == 1
    assert stored(full) == []
    assert [row[0] for row in queued(full.address)] == ["a@s.example"]


def test_a_mailbox_that_fills_up_after_rcpt(dialogue, make_user, database) -> None:
    user = make_user()
    dialogue.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>", "DATA")
    database.execute(
        "UPDATE accounts_mailbox SET quota_bytes = 0 WHERE id = %s", (user.mailbox.id,)
    )
    dialogue.send(MESSAGE)
    assert dialogue.say(".").startswith("452 4.2.2")


def test_postmaster_always_resolves(dialogue, make_domain, make_user, stored) -> None:
    admin = make_user(is_admin=True)
    assert dialogue.say("MAIL FROM:<a@s.example>").startswith("250")
    assert dialogue.say("RCPT TO:<Postmaster>").startswith("250 2.1.5")
    assert dialogue.say(f"RCPT TO:<postmaster@{admin.domain.name}>").startswith("250 2.1.5")


def test_a_disabled_user_after_rcpt_still_gets_what_was_accepted(dialogue, make_user, orm) -> None:
    user = make_user()
    dialogue.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>", "DATA")
    user.is_active = False
    user.save()
    dialogue.send(MESSAGE)
    assert dialogue.say(".").startswith("250 2.0.0")


def test_submission_to_elsewhere_is_signed_and_queued_with_what_was_asked(
    server, make_user, queued, stored
) -> None:
    user = make_user()
    outside = outside_address(user.domain)
    with server.logged_in(user.address, PASSWORD) as client:
        client.sendmail(
            user.address,
            [outside, user.address],
            message_from(user.address),
            mail_options=["RET=HDRS", "ENVID=aB+2B"],
            rcpt_options=["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{outside}"],
        )
    ((reverse_path, prefix, *asked),) = queued(outside)
    assert reverse_path == user.address
    assert bytes(prefix).startswith(b"DKIM-Signature: ")
    assert f"d={user.domain.name};".encode() in bytes(prefix)
    assert asked[:4] == ["FAILURE,DELAY", f"rfc822;{outside}", "aB+2B", "HDRS"]
    assert asked[4] == outside.partition("@")[2]
    assert len(stored(user)) == 1


def test_success_is_reported_for_a_mailbox_here(server, make_user, make_group, stored) -> None:
    user = make_user()
    other = make_user(domain=user.domain)
    group = make_group(domain=user.domain, members=[other.address])
    with server.logged_in(user.address, PASSWORD) as client:
        for recipient in (other.address, group.address):
            client.sendmail(
                user.address,
                [recipient],
                message_from(user.address, f"X-To: {recipient}"),
                mail_options=["ENVID=e1"],
                rcpt_options=["NOTIFY=SUCCESS,FAILURE"],
            )
        client.sendmail(user.address, [other.address], message_from(user.address))
    reports = [message_from_bytes(message) for message in stored(user)]
    assert [report["Return-Path"] for report in reports] == ["<>", "<>"]
    texts = [report.get_payload(1).as_string() for report in reports]
    assert "Action: delivered" in texts[0]
    assert "Original-Envelope-Id: e1" in texts[0]
    assert "Action: expanded" in texts[1]
    assert len(stored(other)) == 3


def test_nobody_is_told_of_success_at_the_null_path(dialogue, make_user, database) -> None:
    user = make_user()
    dialogue.say("MAIL FROM:<>")
    assert dialogue.say(f"RCPT TO:<{user.address}> NOTIFY=SUCCESS").startswith("250")
    dialogue.say("DATA")
    dialogue.send(MESSAGE)
    trace_id = dialogue.say(".").rpartition(" ")[2]
    steps = database.execute("SELECT step FROM trace_event WHERE trace_id = %s", (trace_id,))
    assert [step for (step,) in steps] == ["verdict", "deliver"]
