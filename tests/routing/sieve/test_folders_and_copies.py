"""mailboxid, special-use, metadata, fcc."""

import pytest

from routing.sieve.actions import Copy, FileInto, Vacation
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import actions_of, errors_of, is_true, result_of

REQUIRE = (
    'require ["fileinto", "mailboxid", "special-use", "mailbox", "vacation", "fcc", "imap4flags",'
    ' "enotify"];\n'
)
HOST = MemoryHost(
    folders={"Spam", "Lists"},
    ids={"F7": "Lists"},
    uses={"\\junk": ["Spam"]},
    annotations={("Lists", "/private/color"): "red", (None, "/shared/admin"): "mailto:a@b.c"},
)


def test_tags_of_fileinto() -> None:
    script = (
        rf'{REQUIRE}fileinto :mailboxid "F7" "Lists"; fileinto :specialuse "\\Junk" :create "J";'
    )
    assert actions_of(script) == (
        FileInto("Lists", mailbox_id="F7"),
        FileInto("J", special_use="\\Junk", create=True),
    )


def test_a_folder_that_one_of_two_may_create() -> None:
    require = 'require ["fileinto", "mailbox", "imap4flags"];'
    script = f'{require} fileinto :create :flags "a" "A"; fileinto :flags "b" "A";'
    assert actions_of(script) == (FileInto("A", flags=("b",), create=True),)


def test_folders_of_an_id_or_a_use() -> None:
    assert is_true('mailboxidexists "F7"', require=("mailboxid",), host=HOST)
    assert not is_true('mailboxidexists ["F7", "F8"]', require=("mailboxid",), host=HOST)
    for test, holds in (
        (r'specialuse_exists "\\Junk"', True),
        (r'specialuse_exists ["\\Junk", "\\Sent"]', False),
        (r'specialuse_exists "Spam" "\\Junk"', True),
        (r'specialuse_exists "INBOX" "\\Junk"', False),
    ):
        assert is_true(test, require=("special-use",), host=HOST) is holds


def test_metadata() -> None:
    require = ("mboxmetadata", "servermetadata")
    for test, holds in (
        ('metadata "Lists" "/private/color" ["blue", "RED"]', True),
        ('metadata :contains "INBOX" "/private/color" ""', False),
        ('metadataexists "Lists" ["/private/color", "/private/size"]', False),
        ('metadataexists "Lists" "/private/color"', True),
        ('servermetadata :matches "/shared/admin" "mailto:*"', True),
        ('servermetadataexists "/shared/none"', False),
    ):
        assert is_true(test, require=require, host=HOST) is holds


def test_a_copy_of_an_answer() -> None:
    script = (
        rf'{REQUIRE}vacation :fcc "Sent" :flags ["\\Seen"] :create :specialuse "\\Sent" "away";'
    )
    assert actions_of(script)[0] == Vacation(
        "away",
        "me@example.org",
        copy=Copy("Sent", ("\\Seen",), create=True, special_use="\\Sent"),
    )


@pytest.mark.parametrize(
    "script",
    [
        r'vacation :flags "\\Seen" "x";',
        'vacation :create "x";',
        'notify :mailboxid "F7" "mailto:a@b.example";',
        'fileinto :specialuse "Junk" "x";',
        r'fileinto :specialuse "\\Junk" :mailboxid "F7" "x";',
        'vacation :fcc "a//b" "x";',
        'fileinto :fcc "a" "x";',
    ],
)
def test_errors(script: str) -> None:
    assert errors_of(REQUIRE + script)


def test_a_flag_of_the_copy_is_not_that_of_the_message() -> None:
    result = result_of(rf'{REQUIRE}vacation :fcc "Sent" :flags "\\Seen" "away";')
    assert result.actions[-1].flags == ()  # type: ignore[attr-defined]
