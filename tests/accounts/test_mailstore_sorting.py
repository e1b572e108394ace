"""SORT and THREAD over a folder that changes: what the process keeps of it is never wrong (RFC 5256)."""

import random
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from accounts.mailstore import folder_columns, kept_answers
from accounts.mailstore.changes import snapshot
from accounts.mailstore.expunging import expunge
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folder_threads import thread_uids
from accounts.mailstore.sorting import sort_places
from accounts.mailstore.values import FolderState, MailboxId, new_message
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]
START = datetime(2024, 1, 1, tzinfo=UTC)
CRITERIA: list[tuple[tuple[str, bool], ...]] = [
    (("SUBJECT", False),),
    (("SUBJECT", True), ("ARRIVAL", True)),
    (("FROM", False), ("SIZE", True)),
    (("DATE", True),),
    (("DISPLAYFROM", False), ("SUBJECT", False)),
]


def keys(number: int) -> dict[str, Any]:
    """What message `number` is sorted by."""
    chance = random.Random(number)
    name = chance.choice(["zoe", "ann", "bob"])
    local_part = chance.choice("xyz")
    return {
        "SUBJECT": chance.choice(["", "a", "b", "c c"]),
        "FROM": local_part,
        "DISPLAYFROM": name,
        "SIZE": chance.randrange(1, 9),
        "DATE": START + timedelta(hours=chance.randrange(5)),
        "ARRIVAL": START + timedelta(hours=chance.randrange(5)),
        "to": chance.randrange(1, number) if number > 1 and chance.random() < 0.5 else 0,
    }


def mail(number: int) -> bytes:
    key = keys(number)
    date = key["DATE"].strftime("%d Jan %Y %H:%M:%S +0000")
    header = (
        f"From: {key['DISPLAYFROM']} <{key['FROM']}@x.test>\r\nSubject: {key['SUBJECT']}\r\nDate: {date}\r\n"
        f"Message-ID: <{number:06}@x>\r\nReferences: <{key['to']:06}@x>\r\n\r\n"
    )
    return (header + "x" * (key["SIZE"] * 100 - len(header) % 100)).encode()


def expected(uids: list[int], criteria: tuple[tuple[str, bool], ...]) -> list[int]:
    order = list(uids)
    for name, is_reverse in reversed(criteria):
        sizes = {uid: len(mail(uid)) for uid in uids}
        order.sort(
            key=lambda uid: sizes[uid] if name == "SIZE" else keys(uid)[name], reverse=is_reverse
        )
    return order


def ordered(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    uids: Sequence[int],
    criteria: tuple[tuple[str, bool], ...],
    scores: dict[int, int] | None = None,
    total: int | None = None,
) -> list[int]:
    """SORT, asked as a session asks: with the view's own array."""
    asked = array("q", uids)
    count = len(uids) if total is None else total
    found = sort_places(database, mailbox, inbox.id, asked, criteria, scores or {}, count)
    return [uids[place] for place in found]


def trees(uids: list[int]) -> dict[int, int]:
    """Each message's parent, where it is there."""
    return {uid: keys(uid)["to"] for uid in uids if keys(uid)["to"] in uids}


@pytest.mark.parametrize("few", [0, 5, 1000])
def test_a_changing_folder_is_sorted_as_it_is(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(folder_columns, "_FEW", few)
    monkeypatch.setattr(kept_answers, "WORTH_KEEPING", range(1000))
    chance = random.Random(few)
    for _ in range(12):
        for _ in range(chance.randrange(4)):
            number = snapshot(database, mailbox, inbox.id).state.uid_next
            deliver(
                database,
                mailbox,
                message=new_message(mail(number)),
                internal_date=keys(number)["ARRIVAL"],
            )
        uids = snapshot(database, mailbox, inbox.id).uids.tolist()
        if len(uids) > 5 and chance.random() < 0.5:
            gone = chance.sample(uids, 2)
            store_flags(database, mailbox, inbox.id, gone, "add", ("\\Deleted",))
            expunge(database, mailbox, inbox.id)
            uids = [uid for uid in uids if uid not in gone]
        if not uids:
            continue
        wanted = sorted(chance.sample(uids, chance.randrange(1, len(uids) + 1)))
        for asked in (wanted, uids):
            for criteria in chance.sample(CRITERIA, 3):
                for _ in range(2):  # the second may be what is kept of the first
                    found = ordered(database, mailbox, inbox, asked, criteria, total=len(uids))
                    assert found == expected(asked, criteria), criteria
            threaded, forest = thread_uids(
                database, mailbox, inbox.id, asked, "REFERENCES", len(uids)
            )
            assert list(threaded) == asked
            parents = {
                asked[child]: asked[parent]
                for parent, children in forest.children.items()
                for child in children
                if parent < len(asked)
            }
            assert parents.items() >= trees(asked).items()


def test_threads_are_kept_until_mail_comes(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folder_columns, "_FEW", 0)
    monkeypatch.setattr(kept_answers, "WORTH_KEEPING", range(1000))
    uids = [deliver(database, mailbox, message=new_message(mail(n))).uid for n in (1, 2, 3)]
    first = thread_uids(database, mailbox, inbox.id, uids, "REFERENCES", 3)[1]
    assert thread_uids(database, mailbox, inbox.id, uids, "REFERENCES", 3)[1] is first
    assert thread_uids(database, mailbox, inbox.id, uids[:2], "REFERENCES", 3)[1] is not first
    uids.append(deliver(database, mailbox, message=new_message(mail(4))).uid)
    assert thread_uids(database, mailbox, inbox.id, uids, "REFERENCES", 4)[1] is not first


def test_what_is_kept_is_bounded(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folder_columns, "_FEW", 0)
    uids = [deliver(database, mailbox, message=new_message(mail(n))).uid for n in (1, 2, 3)]
    assert ordered(database, mailbox, inbox, uids, CRITERIA[0])
    assert inbox.id in folder_columns._cache
    monkeypatch.setattr(folder_columns, "_BYTES_MAXIMUM", 100)
    uids.append(deliver(database, mailbox, message=new_message(mail(4))).uid)
    assert len(ordered(database, mailbox, inbox, uids, CRITERIA[0])) == 4
    assert not folder_columns._cache


def test_scores_sort_the_best_first(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    uids = [deliver(database, mailbox, message=new_message(mail(n))).uid for n in (1, 2, 3)]
    scores: dict[int, int] = dict(zip(uids, (40, 100, 40), strict=True))
    criteria = (("RELEVANCY", False),)
    found = ordered(database, mailbox, inbox, uids, criteria, scores)
    assert found == [uids[1], uids[0], uids[2]]
    found = ordered(database, mailbox, inbox, uids, (("RELEVANCY", True),), scores)
    assert found == [uids[0], uids[2], uids[1]]
