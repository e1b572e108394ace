"""Filters of others on port 25: real daemons say what they find, and one that is gone stops no mail unless it must be asked."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories import unique
from tests.transport.filters.daemons import EICAR, GTUBE, clamd, spamd
from tests.transport.smtp.test_judging import names, verdicts_of
from tests.transport.smtp.test_receiving import deliver
from tests.transport.smtp.test_recipients import until
from transport.models import ExternalFilter


def mail(text: str) -> bytes:
    """A message that no other test sends."""
    head = (
        f"From: a@s.example\r\nSubject: {unique('s')}\r\nMessage-ID: <{unique('m')}@s.example>\r\n"
    )
    return f"{head}\r\n{text}\r\n".encode()


@pytest.fixture
def switched_on(server: Any, orm: None) -> Iterator[Callable[..., None]]:
    """switched_on(name, address, **more): the filter is as it was after the test."""
    before = list(ExternalFilter.objects.values())

    def is_known(name: str, values: dict[str, Any]) -> bool:
        setup = (server.service.filters._setups or {}).get(name)
        return setup is not None and all(getattr(setup, key) == values[key] for key in values)

    def change(name: str, values: dict[str, Any]) -> None:
        ExternalFilter.objects.filter(name=name).update(**values)
        until(lambda: is_known(name, values))

    yield lambda name, address, **more: change(
        name, {"is_on": True, "address": address, "is_strict": False, **more}
    )
    for row in before:
        values = {key: row[key] for key in ("is_on", "address", "is_strict")}
        change(row["name"], values)


def test_a_virus_is_refused_and_other_mail_is_not(
    dialogue, make_user, switched_on, script, folders, tmp_path: Path
) -> None:
    user = make_user()
    script(
        user,
        'require ["virustest", "fileinto", "mailbox"]; if virustest "1" { fileinto :create "Clean"; }',
    )
    with clamd(tmp_path) as address:
        switched_on("clamav", address)
        reply = deliver(dialogue, "a@s.example", user.address, content=mail(EICAR))
        assert reply.startswith("550 5.7.1 ")
        assert "Eicar-Test-Signature" in reply
        assert folders(user) == {}
        assert deliver(dialogue, "a@s.example", user.address, content=mail("x")).startswith("250")
    assert names(folders(user)) == {"Clean": 1}
    switched_on("clamav", str(tmp_path / "nobody.sock"))
    deliver(dialogue, "a@s.example", user.address, content=mail("y"))
    assert names(folders(user)) == {"Clean": 1, "INBOX": 1}


@pytest.mark.parametrize(("is_strict", "code"), [(False, "250 2.0.0"), (True, "451 4.7.1")])
def test_a_scanner_that_is_gone_stops_mail_only_where_it_must_be_asked(
    dialogue, make_user, switched_on, folders, database, tmp_path: Path, is_strict, code
) -> None:
    user = make_user()
    switched_on("clamav", str(tmp_path / "nobody.sock"), is_strict=is_strict)
    began = time.monotonic()
    for _ in range(3):
        reply = deliver(dialogue, "a@s.example", user.address, content=mail("x"))
        assert reply.startswith(code)
    assert time.monotonic() - began < 6
    assert len(folders(user).get("INBOX", [])) == (0 if is_strict else 3)
    if not is_strict:
        assert "ClamAV" in verdicts_of(database, user)[0][1]


def test_what_spamassassin_finds_is_a_term_among_others(
    dialogue, make_user, switched_on, folders, database, tmp_path: Path
) -> None:
    user = make_user()
    with spamd(tmp_path) as address:
        switched_on("spamassassin", address)
        deliver(dialogue, "a@s.example", user.address, content=mail(GTUBE))
    [copy] = folders(user)["Spam"]
    assert b"SPAMASSASSIN=" in copy
    assert verdicts_of(database, user)[0][2]["terms"]["SPAMASSASSIN"] >= 5
