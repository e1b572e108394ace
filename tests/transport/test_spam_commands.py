"""manage.py train_spam and spam_report: directories and mbox files are learned once, and judged by what they do not hold."""

from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from routing.spam_models.mail_files import mail_files, messages_of
from tests.factories import MakeUser

Database = psycopg.Connection[tuple[Any, ...]]
CORPUS = Path(__file__).parents[1] / "routing" / "spam" / "corpus.zip"
PLACE = "From someone@example.org Sun Sep 22 14:13:21 2002\n"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 of each: 64 are learned where a fifth is held out."""
    path = tmp_path_factory.mktemp("corpus")
    with ZipFile(CORPUS) as sample:
        for kind in ("ham", "spam"):
            names = sorted(name for name in sample.namelist() if name.startswith(f"{kind}/"))
            for name in names[:: len(names) // 80][:80]:
                sample.extract(name, path)
    return path


@pytest.fixture
def user(make_user: MakeUser) -> User:
    return make_user()


def run(command: str, *arguments: str | Path) -> str:
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def learned(database: Database, user: User) -> tuple[Any, ...] | None:
    return database.execute(
        "SELECT spam, ham FROM routing_spam_model WHERE domain_id = %s", (user.domain_id,)
    ).fetchone()


def test_a_collection_is_learned_once(database: Database, user: User, corpus: Path) -> None:
    where = ("--spam", corpus / "spam", "--ham", corpus / "ham", "--domain", user.domain.name)
    assert "160 messages read; 160 are new" in run("train_spam", *where)
    assert learned(database, user) == (80, 80)
    assert "160 messages read; 0 are new" in run("train_spam", *where)
    assert learned(database, user) == (80, 80)
    report = run("spam_report", "--domain", user.domain.name)
    assert report.splitlines()[1:] == run("spam_report", *where[:4]).splitlines()[1:]


def test_the_report_is_a_confusion_matrix(corpus: Path) -> None:
    report = run("spam_report", "--spam", corpus / "spam", "--ham", corpus / "ham")
    rows = {line.split()[0]: line.split() for line in report.splitlines()}
    assert rows["ham"][1:3] in (["80", "0"], ["79", "1"], ["78", "2"])
    assert int(rows["spam"][1]) + int(rows["spam"][2]) == 80
    assert int(rows["spam"][2]) >= 64
    assert float(rows["area"][-1]) > 0.99


def test_the_report_says_when_too_little_is_known(user: User, tmp_path: Path) -> None:
    assert "0 spam and 0 ham" in run("spam_report", "--domain", user.domain.name)
    (tmp_path / "one.eml").write_bytes(b"Subject: one\n\n1\n")
    report = run("spam_report", "--spam", tmp_path, "--ham", tmp_path)
    assert "1 spam and 1 ham" in report
    assert "not enough" in report


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--spam", "/nowhere/at/all"),
        ("--spam", __file__, "--domain", "nowhere.invalid"),
    ],
)
@pytest.mark.usefixtures("user")
def test_what_cannot_be_learned_is_one_line(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as error:
        run("train_spam", *arguments)
    assert "\n" not in str(error.value)


def test_an_mbox_is_cut_where_messages_begin(tmp_path: Path) -> None:
    mbox = tmp_path / "mail.mbox"
    mbox.write_text(
        f"{PLACE}Subject: one\n\nFrom here on it is text.\n\nFrom here too.\n>From quoted\n\n"
        f"{PLACE}Subject: two\n\n2\n\n"
    )
    assert list(messages_of(mbox)) == [
        b"Subject: one\r\n\r\nFrom here on it is text.\r\n\r\nFrom here too.\r\nFrom quoted\r\n\r\n",
        b"Subject: two\r\n\r\n2\r\n\r\n",
    ]


@pytest.mark.parametrize(
    "text", [f"Subject: one\n\n{PLACE}\n\n{PLACE}", "Subject: one\r\n\r\nFrom me\r\n", "\n>From"]
)
def test_a_file_that_is_no_mbox_is_one_message(tmp_path: Path, text: str) -> None:
    file = tmp_path / "one"
    file.write_bytes(text.encode())
    assert list(messages_of(file)) == [text.replace("\r", "").replace("\n", "\r\n").encode()]


def test_directories_are_read_to_their_depths(tmp_path: Path) -> None:
    for name in ("cur/1", "cur/.hidden", ".git/x", "deep/er/2"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"Subject: x\n\n")
    assert [str(file.relative_to(tmp_path)) for file in mail_files(tmp_path)] == [
        "cur/1",
        "deep/er/2",
    ]
