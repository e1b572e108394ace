"""Daemons that talk nonsense, are silent, never end or break off: mail goes on, and they are left alone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.transport.filters.conftest import OpenFilters, SetUp
from tests.transport.filters.test_asking import ENVELOPE, message
from transport.filters import opinions
from transport.filters.breaker import Breaker
from transport.filters.points import scaled
from transport.filters.values import FilterAnswers, FilterError

NAMES = ["spamassassin", "rspamd", "clamav"]
TITLES = {"spamassassin": "SpamAssassin", "rspamd": "rspamd", "clamav": "ClamAV"}
Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(answer: bytes) -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    return behave


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(65536):
        pass


async def never_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x" * 65536)
        await writer.drain()


async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


HTTP = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
HOSTILE: dict[str, Behave] = {
    "garbage": says(bytes(range(256)) * 8),
    "nothing": says(b""),
    "http garbage": says(HTTP + b"{\xff"),
    "another JSON": says(HTTP + b'[1, {"score": "x"}]'),
    "no number": says(HTTP + b'{"score": NaN, "required_score": 15}'),
    "deep JSON": says(HTTP + b"[" * 200_000),
    "an error": says(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
    "no score": says(b"SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n"),
    "a strange score": says(b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1.0 / 0.0\r\nContent-length: 0\r\n\r\n"),
    "half an answer": says(b"SPAMD/1.1 0 EX_OK\r\nSpam: Tr"),
    "a clamd error": says(b"stream: Can't allocate memory ERROR\0"),
    "never ends": never_ends,
    "breaks off": breaks_off,
}  # fmt: skip


def ask(
    open_filters: OpenFilters, set_up: SetUp, name: str, behave: Behave, times: int = 1
) -> tuple[list[FilterAnswers], int]:
    """The answers, and how often the daemon was asked."""
    calls = 0

    async def run() -> list[FilterAnswers]:
        tasks = set()

        async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            calls += 1
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await behave(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(counted, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        set_up(name, is_on=True, address=f"127.0.0.1:{port}", answered_at="2026-11-01")
        async with open_filters() as filters:
            answers = [await filters.ask(message("x" * 500_000), ENVELOPE) for _ in range(times)]
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return answers

    return asyncio.run(run()), calls


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_nonsense_stops_no_mail(
    name: str, kind: str, set_up: SetUp, open_filters: OpenFilters
) -> None:
    [answer], _ = ask(open_filters, set_up, name, HOSTILE[kind])
    assert answer == FilterAnswers(notes=(f"{TITLES[name]} does not answer",))


@pytest.mark.parametrize("name", NAMES)
def test_silence_is_waited_for_three_times_and_no_more(
    name: str, set_up: SetUp, open_filters: OpenFilters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opinions, "FILTER_SECONDS", 0.1)
    answers, calls = ask(open_filters, set_up, name, is_silent, times=6)
    assert answers == [FilterAnswers(notes=(f"{TITLES[name]} does not answer",))] * 6
    assert calls == 3


def test_a_virus_has_a_harmless_name(set_up: SetUp, open_filters: OpenFilters) -> None:
    [answer], _ = ask(
        open_filters,
        set_up,
        "clamav",
        says(b"stream: Evil\r\n250 ok\x1b" + b"y" * 999 + b" FOUND\0"),
    )
    assert answer.virus.startswith("Evil??250?ok?yyy")
    assert len(answer.virus) == 100


def test_no_filter_outweighs_all_others(set_up: SetUp, open_filters: OpenFilters) -> None:
    loud = b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 9999.0 / 5.0\r\nContent-length: 6\r\n\r\nA_RULE"
    [answer], _ = ask(open_filters, set_up, "spamassassin", says(loud))
    assert [(term.points, term.note) for term in answer.terms] == [(10.0, "A_RULE")]
    assert scaled(-1000.0, 5.0) == -5.0
    with pytest.raises(FilterError):
        scaled(float("nan"), 5.0)


def test_a_dead_filter_is_tried_again_by_one() -> None:
    breaker = Breaker(10.0)
    breaker.failed(0.0, is_gone=True)
    assert [breaker.may_ask(now) for now in (1.0, 9.9, 10.0, 10.1, 19.0)] == [False, False, True, False, False]  # fmt: skip
    breaker.answered()
    assert breaker.may_ask(10.2)
    for now in (11.0, 12.0):
        breaker.failed(now, is_gone=False)
        assert breaker.may_ask(now)
    breaker.failed(13.0, is_gone=False)
    assert not breaker.may_ask(13.0)
