"""Scripts that follow IMAP commands (RFC 6785): put by ManageSieve, named by METADATA, run by the worker."""

import base64
import socket
import time
from collections.abc import Callable

from imapclient import IMAPClient

from tests.end_to_end.mail import make_message
from tests.end_to_end.servers import PASSWORD, Server, unverified_tls

SCRIPT = """require ["imapsieve", "environment", "imap4flags", "fileinto", "mailbox"];
if environment :is "imap.cause" "FLAG" {
    if anyof (environment :contains "imap.changedflags" "invoice",
              environment :contains "imap.changedflags" "$Invoice") {
        fileinto :create "Invoices";
    }
} elsif environment :is "imap.cause" "APPEND" {
    addflag "appended";
} elsif environment :is "imap.cause" "COPY" {
    addflag "copied";
}
"""
DEADLINE_SECONDS = 30.0


def put_script(server: Server, user: str, name: str, text: str) -> None:
    """By ManageSieve (RFC 5804 §2.1, §2.2, §2.6)."""
    with socket.create_connection((server.address, server.ports.sieve), 30) as plain:
        file = plain.makefile("rb")
        _until_ok(file.readline)
        plain.sendall(b"STARTTLS\r\n")
        _until_ok(file.readline)
        with unverified_tls().wrap_socket(plain) as tls:
            file = tls.makefile("rb")
            _until_ok(file.readline)
            credentials = base64.b64encode(f"\0{user}\0{PASSWORD}".encode()).decode()
            content = text.encode()
            for command in (
                f'AUTHENTICATE "PLAIN" "{credentials}"\r\n'.encode(),
                b'PUTSCRIPT "%b" {%d+}\r\n%b\r\n' % (name.encode(), len(content), content),
            ):
                tls.sendall(command)
                _until_ok(file.readline)


def _until_ok(read_line: Callable[[], bytes]) -> None:
    while not (line := read_line()).startswith(b"OK"):
        assert line, "the connection ended"
        assert not line.startswith((b"NO", b"BYE")), line


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def flags(client: IMAPClient, folder: str) -> dict[int, set[bytes]]:
    client.select_folder(folder, readonly=True)
    found = client.fetch(client.search("ALL"), ["FLAGS"])
    return {uid: set(item[b"FLAGS"]) - {b"\\Recent"} for uid, item in found.items()}


def test_a_named_script_follows_append_copy_and_flags(server: Server) -> None:
    address = "follower@example.test"
    server.add_users(address)
    put_script(server, address, "following", SCRIPT)
    message = make_message(address, address, "an invoice")
    with server.imap(address) as client:
        client.create_folder("Work")
        client.append("Work", message)  # before the script is named: none is run
        # imapclient has no method for it; imaplib sends what it does not know as it stands.
        client._imap.xatom("SETMETADATA", "Work", '(/shared/imapsieve/script "following")')
        client.append("Work", message)
        wait_until(lambda: b"appended" in flags(client, "Work").get(2, ()))
        assert flags(client, "Work")[1] == set()

        client.append("INBOX", message)
        client.select_folder("INBOX")
        client.copy([1], "Work")
        wait_until(lambda: b"copied" in flags(client, "Work").get(3, ()))
        assert flags(client, "INBOX")[1] == set()  # a folder without a script

        client.select_folder("Work")
        client.add_flags([2], [b"$Invoice"])
        wait_until(lambda: client.folder_exists("Invoices") and bool(flags(client, "Invoices")))
        (filed,) = flags(client, "Invoices").values()
        assert b"$Invoice" in filed
        # What is not kept is marked, not expunged (RFC 6785 §2.2.4).
        wait_until(lambda: b"\\Deleted" in flags(client, "Work")[2])
        assert b"\\Deleted" not in flags(client, "Work")[3]
