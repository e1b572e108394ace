"""When we fail: 451 and never 250, and nothing half done."""

import select
from collections.abc import Callable

import pytest

from tests.transport.smtp.conftest import Dialogue, Server
from tests.transport.smtp.test_receiving import MESSAGE, deliver
from transport.database_threads import SHORT_THREADS


def test_a_database_error_at_delivery_is_451_and_stores_nothing(
    dialogue, make_user, stored, database
) -> None:
    user = make_user()
    database.execute(
        f"""CREATE FUNCTION fail_{user.id}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.owner_id = {user.mailbox.id} THEN RAISE 'no'; END IF; RETURN NEW; END $$"""
    )
    database.execute(
        f"CREATE TRIGGER fail_{user.id} BEFORE INSERT ON mail_entry FOR EACH ROW"
        f" EXECUTE FUNCTION fail_{user.id}()"
    )
    try:
        assert deliver(dialogue, "a@s.example", user.address).startswith("451 4.3.0")
    finally:
        database.execute(f"DROP FUNCTION fail_{user.id} CASCADE")
    assert stored(user) == []
    # the transaction was not remembered either: the repetition is carried out
    assert deliver(dialogue, "a@s.example", user.address).startswith("250 2.0.0")
    assert len(stored(user)) == 1


def test_a_locked_folder_is_451_within_the_lock_time_out(
    dialogue, make_user, stored, database
) -> None:
    user = make_user()
    with database.transaction():
        database.execute(
            "SELECT 1 FROM mail_folder WHERE owner_id = %s FOR UPDATE", (user.mailbox.id,)
        )
        assert deliver(dialogue, "a@s.example", user.address).startswith("451 4.3.0")
    assert deliver(dialogue, "a@s.example", user.address).startswith("250 2.0.0")


def test_a_locked_mailbox_holds_up_no_other(server, make_user, stored, database) -> None:
    locked, free = make_user(), make_user()
    waiting = [server.dialogue() for _ in range(SHORT_THREADS + 2)]
    with database.transaction():
        database.execute(
            "SELECT 1 FROM mail_folder WHERE owner_id = %s FOR UPDATE", (locked.mailbox.id,)
        )
        for number, client in enumerate(waiting):
            client.say("EHLO x")
            client.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{locked.address}>", "DATA")
            client.send(b"X-Number: %d\r\n" % number + MESSAGE + b".\r\n")  # none the same
        other = server.dialogue()
        other.say("EHLO x")
        assert deliver(other, "a@s.example", free.address).startswith("250 2.0.0")
        assert len(stored(free)) == 1
        answered, _, _ = select.select([client.connection for client in waiting], [], [], 0)
        assert not answered  # it did not wait until one of them had waited long enough
    replies = [client.reply()[:3] for client in waiting]
    assert set(replies) <= {"250", "451"}
    assert len(stored(locked)) == replies.count("250")
    for client in (*waiting, other):
        client.close()


def test_our_failure_at_login_is_454(server, make_user, database) -> None:
    from tests.transport.smtp.test_submission import encrypted, plain

    user = make_user()
    dialogue = encrypted(server)
    dialogue.say("EHLO x")
    with database.transaction():
        database.execute("LOCK TABLE accounts_user IN ACCESS EXCLUSIVE MODE")
        reply = dialogue.say(f"AUTH PLAIN {plain(user.address, 'any')}")
    assert reply.startswith("454 4.7.0")
    assert dialogue.say("NOOP").startswith("250")
    dialogue.close()


def test_our_failure_at_rcpt_is_451(dialogue, make_user, database) -> None:
    user = make_user()
    dialogue.say("MAIL FROM:<a@s.example>")
    with database.transaction():
        database.execute("LOCK TABLE accounts_address IN ACCESS EXCLUSIVE MODE")
        assert dialogue.say(f"RCPT TO:<{user.address}>").startswith("451 4.3.0")
    assert dialogue.say(f"RCPT TO:<{user.address}>").startswith("250 2.1.5")


@pytest.mark.parametrize("words", [b"DATA\r\nhalf a message", b"BDAT 100 LAST\r\nhalf a message"])
def test_a_client_that_leaves_in_mid_message_delivers_nothing(
    server, make_user, stored, words: bytes
) -> None:
    user = make_user()
    dialogue = server.dialogue()
    dialogue.say_all("EHLO x", "MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>")
    dialogue.send(words)
    dialogue.close()
    with server.client() as client:
        client.sendmail("b@s.example", [user.address], MESSAGE)
    (message,) = stored(user)
    assert message.startswith(b"Return-Path: <b@s.example>")


@pytest.mark.parametrize("verb", ["DATA", "BDAT"])
def test_large_messages_wait_when_many_come_at_once(
    run_server: Callable[..., Server], make_user, stored, verb: str
) -> None:
    server = run_server(memory_maximum=1, size_maximum=1_000_000)
    user = make_user()
    large = b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * 11_500

    def begin() -> Dialogue:
        dialogue = server.dialogue()
        dialogue.say_all("EHLO x", "MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>")
        return dialogue

    waiting = [begin(), begin()]
    for dialogue in waiting:
        assert dialogue.say(f"BDAT {len(large)}".encode() + b"\r\n" + large[:-2])[:3] == "250"
    late = begin()
    if verb == "DATA":
        assert late.say("DATA").startswith("354")
        answer = late.say(large + b".")
    else:
        answer = late.say(f"BDAT {len(large)} LAST".encode() + b"\r\n" + large[:-2])
    assert answer.startswith("452 4.3.1")
    small = begin()
    assert small.say("DATA").startswith("354")
    assert small.say(MESSAGE + b".").startswith("250")
    assert waiting[0].say("RSET").startswith("250")
    late.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>", "DATA")
    assert late.say(large + b".").startswith("250")
    assert len(stored(user)) == 2
    for dialogue in (*waiting, late, small):
        dialogue.close()


def test_what_follows_the_commit_cannot_make_it_451(server, make_user, stored, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("a report that cannot be built")

    monkeypatch.setattr("transport.smtp.success_reports.send_report", fail)
    user = make_user()
    with server.client() as client:
        client.sendmail("a@s.example", [user.address], MESSAGE, rcpt_options=["NOTIFY=SUCCESS"])
    assert len(stored(user)) == 1


def test_a_client_that_never_reads_is_given_up(server, monkeypatch) -> None:
    monkeypatch.setattr("transport.smtp.session.COMMAND_SECONDS", 0.5)
    monkeypatch.setattr("transport.smtp.session.LINGER_SECONDS", 0.1)
    dialogue = server.dialogue()
    dialogue.connection.settimeout(15)
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        send_for_ever(dialogue, b"HELP\r\n" * 10_000)
    dialogue.close()


def send_for_ever(dialogue: Dialogue, block: bytes) -> None:
    while True:
        dialogue.send(block)
