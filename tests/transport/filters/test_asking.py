"""SpamAssassin, rspamd and ClamAV as they are, asked about mail and taught."""

import asyncio
import time
from typing import Any

import psycopg
import pytest

from accounts.secrets import encrypt
from tests.transport.filters.conftest import PASSWORD, OpenFilters, SetUp
from tests.transport.filters.daemons import EICAR, GTUBE, free_port
from transport.filters.asking import Filters
from transport.filters.teaching import Teacher
from transport.filters.values import Envelope, FilterAnswers

ENVELOPE = Envelope("192.0.2.7", "mx.sender.test", "a@sender.test", ("b@here.test", "c@here.test"))
HEADER = (
    b"From: A <a@sender.test>\r\nTo: b@here.test\r\nSubject: Of the garden\r\n"
    b"Date: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <%d@sender.test>\r\n\r\n"
)


def message(text: str, number: int = 1) -> bytes:
    return HEADER % number + text.encode() + b"\r\n"


def ask(open_filters: OpenFilters, *contents: bytes) -> list[FilterAnswers]:
    async def run() -> list[FilterAnswers]:
        async with open_filters() as filters:
            return [await filters.ask(content, ENVELOPE) for content in contents]

    return asyncio.run(run())


def test_spamassassin_scores(spamd: str, set_up: SetUp, open_filters: OpenFilters) -> None:
    set_up("spamassassin", is_on=True, address=spamd)
    ham, spam = ask(open_filters, message("The roses are in flower."), message(GTUBE))
    [good], [bad] = ham.terms, spam.terms
    assert bad.name == "SPAMASSASSIN"
    assert bad.points == 10.0
    assert "GTUBE" in bad.note
    assert good.points < 5.0
    assert not {"NO_RECEIVED", "RDNS_NONE"} & set(
        good.note.split()
    )  # it is told who handed the message over
    assert ham.notes == ()
    assert not ham.virus


def test_spamassassin_learns(
    spamd: str, set_up: SetUp, open_filters: OpenFilters, database: psycopg.Connection[Any]
) -> None:
    set_up("spamassassin", is_on=True, address=spamd)
    spam = "Cheap zorblax pills, buy zorblax today, discount zorblax quux pharmacy"
    ham = "The minutes of the allotment committee, with the plan of the compost heaps"
    teacher = Teacher(database)
    for number in range(4):
        teacher.teach(message(f"{spam} {number}"), True)
        teacher.teach(message(f"{ham} {number}"), False)
    [answer] = ask(open_filters, message(spam, 99))
    assert "BAYES_99" in answer.terms[0].note
    for number in range(4):  # said the other way it forgets what it was told
        teacher.teach(message(f"{spam} {number}"), False)
    [answer] = ask(open_filters, message(spam, 98))
    assert "BAYES_99" not in answer.terms[0].note


def test_a_large_message_is_not_sent_to_spamassassin(
    spamd: str, set_up: SetUp, open_filters: OpenFilters
) -> None:
    set_up("spamassassin", is_on=True, address=spamd)
    [answer] = ask(open_filters, message(f"{GTUBE}\r\n" + "x" * 70 + "\r\n" * 300_000))
    assert answer.terms == ()
    assert answer.notes == ("SpamAssassin is not asked about so large a message",)


def test_rspamd_scores_and_learns(
    rspamd: tuple[str, str],
    set_up: SetUp,
    open_filters: OpenFilters,
    database: psycopg.Connection[Any],
) -> None:
    worker, controller = rspamd
    set_up(
        "rspamd",
        is_on=True,
        address=worker,
        teach_address=controller,
        password_encrypted=encrypt(PASSWORD),
    )
    good, bad = ask(open_filters, message("The roses are in flower."), message(GTUBE))
    assert good.terms[0].name == "RSPAMD"
    assert good.terms[0].points < 5.0
    assert bad.terms[0].points >= 5.0
    spam = "Cheap zorblax pills, buy zorblax today, discount zorblax quux pharmacy offer"
    ham = "The minutes of the allotment committee, with the plan of the compost heaps"
    teacher = Teacher(database)
    for number in range(4):
        teacher.teach(message(f"{spam} {number}", number), True)
        teacher.teach(message(f"{ham} {number}", number + 10), False)
    teacher.teach(message(f"{spam} 0", 0), True)  # said twice is no error
    assert "rspamd" in teacher._setups
    [answer] = ask(open_filters, message(f"{spam} 9", 99))
    assert "BAYES_SPAM" in answer.terms[0].note


def test_rspamd_with_a_wrong_password_learns_nothing(
    rspamd: tuple[str, str], set_up: SetUp, database: psycopg.Connection[Any]
) -> None:
    set_up("rspamd", is_on=True, address=rspamd[0], teach_address=rspamd[1])
    Teacher(database).teach(message("hello"), True)
    [row] = database.execute(
        "SELECT error FROM transport_externalfilter WHERE name = 'rspamd'"
    ).fetchall()
    assert "401" in row[0]


def test_clamav_finds_a_virus(clamd: str, set_up: SetUp, open_filters: OpenFilters) -> None:
    set_up("clamav", is_on=True, address=clamd)
    clean, infected, large = ask(
        open_filters, message("hello"), message(EICAR), message("x" * 3_000_000)
    )
    assert (clean.virus, clean.notes) == ("", ())
    assert infected.virus.startswith("Eicar-Test-Signature")
    assert large.notes == ("the message is too large for ClamAV",)
    assert not large.is_unscanned


@pytest.mark.parametrize("is_strict", [False, True])
def test_a_clamav_that_is_down(is_strict: bool, set_up: SetUp, open_filters: OpenFilters) -> None:
    set_up("clamav", is_on=True, address="/nowhere/clamd.ctl", is_strict=is_strict)
    for answer in ask(open_filters, message("hello"), message("again")):
        assert answer == FilterAnswers(is_unscanned=is_strict, notes=("ClamAV does not answer",))


def test_a_spamassassin_that_was_never_there_is_not_missed(
    set_up: SetUp, open_filters: OpenFilters
) -> None:
    set_up("spamassassin", is_on=True, address=f"127.0.0.1:{free_port()}", answered_at=None)
    assert ask(open_filters, message("hello")) == [FilterAnswers()]


def test_the_page_is_told_how_they_do(
    clamd: str, set_up: SetUp, open_filters: OpenFilters, database: psycopg.Connection[Any]
) -> None:
    set_up("clamav", is_on=True, address=clamd)
    set_up("rspamd", is_on=True, address=f"127.0.0.1:{free_port()}")

    async def run() -> None:
        async with open_filters() as filters:
            await filters.ask(message("hello"), ENVELOPE)
            await filters.refresh()

    asyncio.run(run())
    rows = database.execute(
        "SELECT name, answered_at, error FROM transport_externalfilter"
    ).fetchall()
    states = {name: (answered_at, error) for name, answered_at, error in rows}
    assert states["clamav"][0] is not None
    assert states["clamav"][1] == ""
    assert states["rspamd"][0] is None
    assert "ConnectionRefusedError" in states["rspamd"][1]


def test_a_change_is_followed(clamd: str, set_up: SetUp, open_filters: OpenFilters) -> None:
    async def run() -> list[str]:
        async with open_filters() as filters:
            found = []
            for is_on in (False, True, False):
                set_up("clamav", is_on=is_on, address=clamd)
                await filters.refresh()
                found.append((await filters.ask(message(EICAR), ENVELOPE)).virus[:5])
            return found

    assert asyncio.run(run()) == ["", "Eicar", ""]


def test_all_are_asked_at_once(
    spamd: str, clamd: str, set_up: SetUp, open_filters: OpenFilters
) -> None:
    """A silent rspamd costs its own time only, and the others are heard."""

    async def run() -> tuple[FilterAnswers, float]:
        server = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        set_up("rspamd", is_on=True, address=f"127.0.0.1:{port}")
        set_up("spamassassin", is_on=True, address=spamd)
        set_up("clamav", is_on=True, address=clamd)
        async with open_filters() as filters:
            start = time.monotonic()
            answer = await filters.ask(message(f"{GTUBE}\r\n{EICAR}"), ENVELOPE)
            taken = time.monotonic() - start
        server.close()
        return answer, taken

    answer, taken = asyncio.run(run())
    assert [term.name for term in answer.terms] == ["SPAMASSASSIN"]
    assert answer.virus
    assert answer.notes == ("rspamd does not answer",)
    assert taken < 8.0


def test_without_a_database_the_usual_spamassassin_is_asked(
    open_filters: OpenFilters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> FilterAnswers:
        async with open_filters() as filters:

            async def fail(self: Filters) -> None:
                raise OSError("gone")

            monkeypatch.setattr(Filters, "refresh", fail)
            return await filters.ask(message("hello"), ENVELOPE)

    assert asyncio.run(run()).virus == ""
