"""Port 25: what is taken, and what it looks like when it is stored."""

MESSAGE = b"From: a@sender.example\r\nSubject: Hello\r\n\r\nHow are you?\r\n"


def test_a_message_is_stored_before_250(server, make_user, stored) -> None:
    user = make_user()
    with server.client() as client:
        assert client.sendmail("a@sender.example", [user.address], MESSAGE) == {}
    (message,) = stored(user)
    prefix, blob = message[: -len(MESSAGE)], message[-len(MESSAGE) :]
    assert blob == MESSAGE
    lines = prefix.decode().split("\r\n")
    assert lines[0] == "Return-Path: <a@sender.example>"
    assert lines[1] == f"Delivered-To: {user.address}"
    assert lines[2] == "X-Spam-Status: No, score=0.0 required=5.0"
    assert "Authentication-Results: mx.example.test;" in lines
    received = lines.index(next(line for line in lines if line.startswith("Received: from ")))
    assert lines[received].endswith("([127.0.0.1])")
    assert lines[received + 1].startswith("\tby mx.example.test with ESMTP id ")
    assert lines[received + 2] == f"\tfor <{user.address}>;"


def test_the_session_names_its_extensions(server) -> None:
    dialogue = server.dialogue()
    offers = dialogue.say("EHLO x").split("\n")
    assert [offer[4:] for offer in offers] == [
        "mx.example.test",
        "PIPELINING",
        "SIZE 1000000",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        "DSN",
        "STARTTLS",
        "HELP",
    ]
    dialogue.close()


def deliver(dialogue, sender: str, *recipients: str, content: bytes = MESSAGE) -> str:
    assert dialogue.say(f"MAIL FROM:<{sender}>").startswith("250 2.1.0")
    for recipient in recipients:
        assert dialogue.say(f"RCPT TO:<{recipient}>").startswith("250 2.1.5")
    assert dialogue.say("DATA").startswith("354")
    dialogue.send(content)
    return dialogue.say(".")


def test_one_message_for_many_is_stored_once_and_names_no_recipient(
    dialogue, make_domain, make_user, stored, database
) -> None:
    domain = make_domain()
    users = [make_user(domain=domain) for _ in range(3)]
    content = MESSAGE + domain.name.encode() + b"\r\n"
    assert deliver(
        dialogue, "a@sender.example", *(user.address for user in users), content=content
    ).startswith("250 2.0.0")
    copies = [stored(user) for user in users]
    for user, (copy,) in zip(users, copies, strict=True):
        header = copy[: -len(content)].decode()
        assert f"Delivered-To: {user.address}\r\n" in header
        assert "\tfor " not in header
        assert not any(other.address in header for other in users if other is not user)
    blobs = database.execute(
        "SELECT count(DISTINCT blob_id), count(*) FROM mail_message WHERE owner_id = ANY(%s)",
        ([user.mailbox.id for user in users],),
    ).fetchone()
    assert blobs == (1, 3)


def test_one_copy_a_mailbox_and_transaction(dialogue, make_user, make_alias, stored) -> None:
    user = make_user()
    alias = make_alias(user)
    deliver(
        dialogue,
        "a@sender.example",
        user.address,
        str(alias),
        f"{user.username}+x@{user.domain.name}",
    )
    assert len(stored(user)) == 1


def test_the_tag_of_an_address_stays_in_delivered_to(dialogue, make_user, stored) -> None:
    user = make_user()
    tagged = f"{user.username}+Shop@{user.domain.name}"
    deliver(dialogue, "a@sender.example", tagged)
    assert f"Delivered-To: {tagged}\r\n".encode() in stored(user)[0]


def test_a_null_reverse_path_is_stored_as_such(dialogue, make_user, stored) -> None:
    user = make_user()
    deliver(dialogue, "", user.address)
    assert stored(user)[0].startswith(b"Return-Path: <>\r\n")


def test_pipelined_transactions_are_answered_in_order(server, make_user, stored) -> None:
    user = make_user()
    dialogue = server.dialogue()
    dialogue.send(b"EHLO x\r\n")
    dialogue.reply()
    group = f"MAIL FROM:<a@s.example>\r\nRCPT TO:<{user.address}>\r\nRCPT TO:<no@{user.domain.name}>\r\nDATA\r\n"
    dialogue.send(group.encode())
    codes = [dialogue.reply()[:9] for _ in range(4)]
    assert codes[:3] == ["250 2.1.0", "250 2.1.5", "550 5.1.1"]
    assert codes[3].startswith("354")
    dialogue.send(MESSAGE + b".\r\n" + group.encode())
    assert dialogue.reply().startswith("250 2.0.0")
    assert [dialogue.reply()[:3] for _ in range(4)] == ["250", "250", "550", "354"]
    dialogue.send(b"Subject: two\r\n\r\n.\r\nQUIT\r\n")
    assert dialogue.reply().startswith("250 2.0.0")
    assert dialogue.reply().startswith("221 2.0.0")
    assert dialogue.ends()
    assert len(stored(user)) == 2


def test_bare_line_ends_never_end_data(server, make_user, stored) -> None:
    for hidden in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"):
        user = make_user()
        dialogue = server.dialogue()
        dialogue.say("EHLO x")
        smuggled = (
            b"Subject: outer\r\n\r\nouter"
            + hidden
            + f"MAIL FROM:<evil@s.example>\r\nRCPT TO:<{user.address}>\r\nDATA\r\ninner\r\n".encode()
        )
        reply = deliver(dialogue, "a@s.example", user.address, content=smuggled)
        assert reply.startswith("250 2.0.0"), hidden
        dialogue.close()
        (message,) = stored(user)
        assert b"MAIL FROM:<evil@s.example>" in message
        assert message.count(b"\n") == message.count(b"\r") == message.count(b"\r\n")


def test_long_lines_and_a_large_message_come_through(dialogue, make_user, stored) -> None:
    user = make_user()
    content = b"Subject: long\r\n\r\n" + b"x" * 300_000 + b"\r\n" + b".y" * 100_000 + b"\r\n"
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    assert deliver(dialogue, "a@s.example", user.address, content=stuffed).startswith("250 2.0.0")
    assert stored(user)[0].endswith(content)


def test_bdat_in_several_chunks(dialogue, make_user, stored) -> None:
    user = make_user()
    dialogue.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>")
    dialogue.send(b"BDAT 13\r\nSubject: x\r\n\r")
    assert dialogue.reply() == "250 2.0.0 13 octets"
    assert dialogue.say("DATA").startswith("503 5.5.1")
    dialogue.send(b"BDAT 12 LAST\r\n\n.\r\nbody\nend")
    assert dialogue.reply().startswith("250 2.0.0 accepted as ")
    assert stored(user)[0].endswith(b"Subject: x\r\n\r\n.\r\nbody\r\nend\r\n")


def test_bdat_out_of_order_still_takes_its_octets(dialogue) -> None:
    dialogue.send(b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    assert dialogue.reply().startswith("503 5.5.1")
    assert dialogue.reply().startswith("250 2.0.0")


def test_a_large_bdat_is_refused_and_the_session_goes_on(dialogue, make_user) -> None:
    user = make_user()
    dialogue.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>")
    dialogue.send(b"BDAT 1000001 LAST\r\n" + b"x" * 1_000_001)
    assert dialogue.reply().startswith("552 5.3.4")
    assert dialogue.say("NOOP").startswith("250")


def test_smtputf8(dialogue, make_domain, make_user, stored) -> None:
    user = make_user(username="jörg", domain=make_domain())
    assert dialogue.say("MAIL FROM:<bö@s.example> SMTPUTF8").startswith("250")
    assert dialogue.say(f"RCPT TO:<JÖRG@{user.domain.name}>").startswith("250")
    dialogue.say("DATA")
    dialogue.send(MESSAGE)
    assert dialogue.say(".").startswith("250")
    (message,) = stored(user)
    assert "Return-Path: <bö@s.example>\r\n".encode() in message
    assert b" with UTF8SMTP id " in message


def test_the_same_transaction_again_has_the_first_id(server, make_user, stored) -> None:
    """The 250 is lost: the client hangs up without a further word, and repeats."""
    user = make_user()
    replies = []
    for _ in range(2):
        dialogue = server.dialogue()
        dialogue.say("EHLO x")
        replies.append(deliver(dialogue, "a@s.example", user.address))
        dialogue.close()
    assert replies[0] == replies[1]
    assert len(stored(user)) == 1


def test_the_same_message_after_a_250_that_was_heard_is_another(server, make_user, stored) -> None:
    user = make_user()
    for _ in range(2):
        dialogue = server.dialogue()
        dialogue.say("EHLO x")
        for _ in range(2):
            assert deliver(dialogue, "a@s.example", user.address).startswith("250")
        assert dialogue.say("QUIT").startswith("221")
        dialogue.close()
    assert len(stored(user)) == 4


def test_another_envelope_is_another_transaction(server, make_user, stored) -> None:
    user = make_user()
    for sender in ("a@s.example", "b@s.example"):
        dialogue = server.dialogue()
        dialogue.say("EHLO x")
        deliver(dialogue, sender, user.address)
        dialogue.close()
    assert len(stored(user)) == 2


def test_a_client_that_shuts_its_side_still_gets_its_replies(server) -> None:
    import socket

    dialogue = server.dialogue()
    dialogue.send(b"EHLO x\r\nNOOP\r\nQUIT\r\n")
    dialogue.connection.shutdown(socket.SHUT_WR)
    assert dialogue.reply().endswith("250 HELP")
    assert dialogue.reply().startswith("250 2.0.0")
    assert dialogue.reply().startswith("221")
    assert dialogue.ends()
