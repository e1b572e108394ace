"""What clients count on and no transcript can show: long lines, capabilities in the greeting and in the OK of a login."""

from tests.transport.imap.conftest import Account, Connect


def test_capabilities_stand_in_the_greeting_and_in_the_ok_of_a_login(
    connect: Connect, account: Account
) -> None:
    dialogue = connect(login=False)
    assert dialogue.greeting.startswith(b"* OK [CAPABILITY ")
    dialogue.send(f'a LOGIN "{account.address}" "{account.password}"\r\n'.encode())
    assert dialogue.response().startswith(b"a OK [CAPABILITY ")


def test_a_command_line_of_64_kib(connect: Connect) -> None:
    """K-9 and Outlook list each UID apart."""
    dialogue = connect()
    dialogue.append("INBOX", b"Subject: x\r\n\r\nbody\r\n")
    dialogue.command(b"SELECT INBOX")
    uids = b",".join(b"%d" % uid for uid in range(1, 14_000))
    command = b"UID FETCH %b (FLAGS)" % uids[:65_000].rpartition(b",")[0]
    assert len(command) > 64_000
    answer = dialogue.command(command)
    assert answer[0] == b"* 1 FETCH (UID 1 FLAGS ())\r\n"
    assert b" OK " in answer[-1]
