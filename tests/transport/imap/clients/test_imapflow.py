"""imapflow from npm: folders, messages, flags, moves, IDLE; COMPRESS, CONDSTORE, QRESYNC and quota where they are offered."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import needs, run

NODE = Path(__file__).parents[3] / "node"

pytestmark = [
    needs("node"),
    pytest.mark.skipif(
        not (NODE / "node_modules/imapflow").is_dir(), reason="npm ci --prefix tests/node"
    ),
]


def drive(script: str, mailbox: Mailbox, certificate: Certificate, home: Path) -> Any:
    """What the script printed last, as JSON."""
    account = mailbox.account
    output = run(
        "node", str(NODE / script), str(mailbox.port), account.address, account.password,
        str(certificate.ca_file), home=home,
    )  # fmt: skip
    return json.loads(output.splitlines()[-1])


def test_mailbox_operations(mailbox: Mailbox, certificate: Certificate, tmp_path: Path) -> None:
    seen = drive("imapflow.mjs", mailbox, certificate, tmp_path)
    assert dict(seen["folders"])["Trash"] == "\\Trash"
    assert seen["exists"] == 2
    uid, flags, subject, kind, date, size, length = seen["messages"][0]
    assert (uid, flags, subject, kind) == (1, ["\\Seen"], "hello", "text/plain")
    assert date == "2024-05-06T07:08:09.000Z"
    assert size == length
    assert seen["unseen"] == [2]
    assert seen["flags"] == ["$Label1", "\\Flagged"]
    assert seen["moved"] == [[1, 1]]
    assert seen["status"]["messages"] == 1
    assert seen["left"] == 0
    assert seen["heard"] == 1
    assert mailbox.subjects() == {"hello"}
    assert any(b" COMPRESS DEFLATE" in line for line in mailbox.recorder.commands())


def test_resynchronises(mailbox: Mailbox, certificate: Certificate, tmp_path: Path) -> None:
    seen = drive("imapflow_resync.mjs", mailbox, certificate, tmp_path)
    assert seen["enabled"] == ["CONDSTORE", "QRESYNC"]
    assert seen["changed"] == [[2, ["\\Flagged"]]]
    assert seen["vanished"] == [3]
    assert seen["flagsHeard"] == [[1, ["$Answered2"]]]
    assert seen["quota"] > 0
    assert seen["recent"] == [4]
    assert seen["copied"] == [[4, 1]]
    assert seen["sizes"] == {"text": 4, "downloaded": "body"}
    assert mailbox.subjects("Archive") == {"four"}
