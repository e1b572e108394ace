"""manage.py sieve_test, as it is run from a shell: what it prints where, and its exit codes."""

import os
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.mailstore.values import MailboxId
from accounts.models import User
from accounts.people import raw_connection
from routing.scripts.storage import activate_script, put_script
from tests.factories import MakeUser

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
SCRIPT = b"""require ["fileinto", "envelope"];
if header :contains "list-id" "django" { fileinto "Lists/django"; }
if envelope :is "to" "nobody@example.org" { redirect "else@example.org"; }
"""
MESSAGE = b"""From: Ann <ann@example.org>
To: bob@example.com
List-Id: Django users <django-users.example.org>

hello
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "rules.sieve"
    path.write_bytes(SCRIPT)
    return path


@pytest.fixture
def message(tmp_path: Path) -> Path:
    path = tmp_path / "message.eml"
    path.write_bytes(MESSAGE)
    return path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("sieve_test", *map(str, arguments), stdout=out)
    return out.getvalue()


def refusal(*arguments: object) -> tuple[str, str]:
    """What went to stderr before the last line, and that line."""
    errors = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("sieve_test", *map(str, arguments), stderr=errors)
    assert refused.value.returncode == 1
    return errors.getvalue(), str(refused.value)


def activate(user: User, text: bytes) -> None:
    mailbox = MailboxId(user.mailbox.pk)
    put_script(raw_connection(), mailbox, "mine", text)
    activate_script(raw_connection(), mailbox, "mine")


def test_the_trace_and_the_actions_are_printed(script: Path, message: Path) -> None:
    lines = run(script, message).splitlines()
    assert lines == [
        "From <ann@example.org> to <bob@example.com>",
        "",
        '   1 | require ["fileinto", "envelope"];',
        '   2 | if header :contains "list-id" "django" { fileinto "Lists/django"; }',
        "       header is true",
        '         "Django users <django-users.example.org>" fits "django"',
        '       -> file into "Lists/django"',
        '   3 | if envelope :is "to" "nobody@example.org" { redirect "else@example.org"; }',
        "       envelope is false",
        '         "bob@example.com" does not fit "nobody@example.org"',
        "",
        "What would be done:",
        '  file into "Lists/django"',
    ]


def test_the_envelope_is_given_or_assumed(script: Path, message: Path) -> None:
    told = run(script, message, "--envelope-to", "nobody@example.org", "--envelope-from", "")
    assert told.startswith("From <> to <nobody@example.org>\n")
    assert told.endswith('  file into "Lists/django"\n  redirect to else@example.org\n')


def test_the_environment_is_that_of_a_delivery(tmp_path: Path, message: Path) -> None:
    path = tmp_path / "environment.sieve"
    path.write_text('require "environment"; if environment "location" "MTA" { discard; }')
    assert run(path, message).endswith("  discard: it is not kept\n")


def test_one_of_both_may_come_on_standard_input(
    script: Path, message: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(script, message)
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(MESSAGE)))
    assert run(script, "-") == expected
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(SCRIPT)))
    assert run("-", message) == expected
    assert "Only one" in refusal("-", "-")[1]


def test_a_broken_script_is_told_with_all_its_errors(tmp_path: Path, message: Path) -> None:
    path = tmp_path / "broken.sieve"
    path.write_text('filinto "x";\nkeep\n')
    errors, last = refusal(path, message)
    assert errors.splitlines()[:3] == [
        f"{path}:1:1: this server knows no command 'filinto'",
        '    filinto "x";',
        "    ^",
    ]
    assert f"\n{path}:" in errors
    assert last == f"{path} has 2 errors."


def test_the_exit_code_and_colours_of_the_real_command(tmp_path: Path, message: Path) -> None:
    path = tmp_path / "rules.sieve"
    too_many = "".join(f'redirect "a{number}@b.example";' for number in range(5))
    for text, code in (("keep;", 0), (too_many, 1), ("nonsense;", 1)):
        path.write_text(text)
        done = subprocess.run(
            [sys.executable, str(MANAGE), "sieve_test", str(path), str(message)],
            env=os.environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, done
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_what_cannot_be_read_is_one_line(script: Path, message: Path, tmp_path: Path) -> None:
    assert refusal(tmp_path / "none", message)[1] == f"{tmp_path}/none: No such file or directory"
    assert refusal(script, tmp_path)[1] == f"{tmp_path}: Is a directory"
    large = tmp_path / "large"
    large.write_bytes(b"#" * ((1 << 20) + 1))
    assert "more than 1048576 octets" in refusal(large, message)[1]


def test_the_script_may_be_a_users_active_one(make_user: MakeUser, message: Path) -> None:
    user = make_user()
    assert "has no active script" in refusal(user.address, message)[1]
    activate(user, SCRIPT)
    told = run(user.address, message)
    assert f"to <{user.address}>" in told.splitlines()[0]
    assert told.endswith('  file into "Lists/django"\n')
    activate(user, b"keep\n")
    errors, last = refusal(user.address, message)
    assert errors.startswith("mine:")
    assert last == "mine has 1 error."
    assert "There is no user" in refusal("nobody@" + user.domain.name, message)[1]
