"""What `serve` tells the operator: where everything listens, and on the first start how to use it."""

import json
import shlex
from collections.abc import Iterator

from django.conf import settings

from mailsite.first_run import FirstAdministrator
from mailsite.readiness import reachable_address

SEND = """\
import smtplib, ssl
tls = ssl.create_default_context(cafile={cert})
smtp = smtplib.SMTP_SSL({host}, {port}, context=tls)
smtp.login({address}, {password})
smtp.sendmail({address}, {address}, "Subject: First mail\\nFrom: " + {address} + "\\n\\nIt works.\\n")
smtp.quit()"""

READ = """\
import imaplib, ssl
tls = ssl.create_default_context(cafile={cert})
imap = imaplib.IMAP4_SSL({host}, {port}, ssl_context=tls)
imap.login({address}, {password})
imap.select()
print(imap.fetch("*", "(BODY.PEEK[])")[1][0][1].decode())"""


def listing() -> Iterator[str]:
    """One line a service."""
    services = (
        ("SMTP", settings.SMTP_PORT, "mail from other servers"),
        ("Submission", settings.SUBMISSION_PORT, "mail from users, STARTTLS"),
        ("Submission", settings.SUBMISSIONS_PORT, "mail from users, TLS"),
        ("IMAP", settings.IMAPS_PORT, "TLS"),
        ("Sieve", settings.SIEVE_PORT, "users' filters (ManageSieve), STARTTLS or TLS"),
    )
    for name, port, what in services:
        yield f"  {name:<11}{', '.join(_places(port)):<24} {what}"
    urls = ", ".join(f"http://{place}/admin/" for place in _places(settings.HTTP_PORT))
    yield f"  {'Admin':<11}{urls}"
    yield f"  {'Data':<11}{settings.DATA_DIR}"


def first_mail_lines(administrator: FirstAdministrator) -> Iterator[str]:
    """The administrator's password, and two lines to paste into a shell of this machine: send, then read."""
    yield ""
    yield f"  Administrator {administrator.address}, password {administrator.password}"
    yield "  (shown this once; the admin changes it)"
    yield ""
    yield "Send a first mail, and read it:"
    strings = {
        "host": reachable_address(settings.BIND_ADDRESSES[0]),
        "cert": str(settings.TLS_CERT_FILE),
        "address": administrator.address,
        "password": administrator.password,
    }
    facts = {name: json.dumps(text) for name, text in strings.items()}
    yield _shell_line(SEND.format(port=settings.SUBMISSIONS_PORT, **facts))
    yield _shell_line(READ.format(port=settings.IMAPS_PORT, **facts))


def _shell_line(program: str) -> str:
    return f"python3 -c {shlex.quote('; '.join(program.splitlines()))}"


def _places(port: int) -> list[str]:
    return [
        f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        for address in settings.BIND_ADDRESSES
    ]
