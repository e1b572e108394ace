"""Every command with every right alone, and with all others (the table of RFC 4314 §4), over real sockets."""

from collections.abc import Callable

import pytest

from accounts.mailstore.sharing import ALL_RIGHTS
from tests.transport.imap.sharing_dialogues import Person

RIGHTS = [
    "",
    *ALL_RIGHTS,
    *(ALL_RIGHTS.replace(right, "") for right in ALL_RIGHTS),
    ALL_RIGHTS,
    "lr",
    "ri",
    "la",
    "rs",
    "rte",
    "lrstw",
]

# Bob's command about Ann's folder {0}, and the rights that it takes.
AUTHENTICATED = {
    "SELECT {0}": "r",
    "EXAMINE {0}": "r",
    "STATUS {0} (MESSAGES UNSEEN)": "r",
    "GETACL {0}": "la",
    "LISTRIGHTS {0} anyone": "la",
    "SETACL {0} anyone lr": "la",
    "DELETEACL {0} anyone": "la",
    "APPEND {0} {{4+}}\r\n\r\na\r": "i",
}


@pytest.mark.parametrize("rights", RIGHTS, ids=lambda rights: rights or "none")
def test_commands_about_a_folder(ann: Person, bob: Person, rights: str) -> None:
    ann.ok("CREATE Team")
    ann.append("Team")
    if rights:
        ann.ok(f"SETACL Team {bob.address} {rights}")
    name = f'"{ann.shared("Team")}"'
    for command, needed in AUTHENTICATED.items():
        outcome(bob, command.format(name), is_allowed=set(needed) <= set(rights), rights=rights)
    outcome(bob, f"MYRIGHTS {name}", is_allowed=bool(set("lrikxa") & set(rights)), rights=rights)
    is_listed = "l" in rights
    assert bool([line for line in bob.ok('LIST "" *') if "Shared" in line]) == is_listed
    bob.hear("UNSELECT")
    bob.append("INBOX")
    bob.ok("SELECT INBOX")
    outcome(bob, f"COPY 1 {name}", is_allowed="i" in rights, rights=rights)
    outcome(bob, f"MOVE 1 {name}", is_allowed="i" in rights, rights=rights)
    outcome(bob, f'CREATE "{ann.shared("Team/New")}"', is_allowed="k" in rights, rights="l")
    ann.hear("CREATE Team/New")
    ann.ok(f"SETACL Team/New {bob.address} lx")
    renamed = bob.hear(f'RENAME "{ann.shared("Team/New")}" "{ann.shared("Team/Old")}"')[-1]
    assert (" OK " in renamed) == ("k" in rights)
    outcome(bob, f"DELETE {name}", is_allowed="x" in rights, rights=rights)
    if "x" in rights:
        assert ann.no("STATUS Team (MESSAGES)") == "NONEXISTENT"


def outcome(person: Person, command: str, *, is_allowed: bool, rights: str) -> None:
    """The command succeeds, or fails without a word of what the reader may not know."""
    if is_allowed:
        person.ok(command)
    elif "l" in rights:
        assert person.no(command) == "NOPERM", command
    else:
        assert person.no(command) in ("NONEXISTENT", "TRYCREATE"), command


Change = Callable[[Person], bool]


@pytest.mark.parametrize(
    "rights", [rights for rights in RIGHTS if "r" in rights], ids=lambda rights: rights
)
def test_commands_in_a_selected_folder(ann: Person, bob: Person, rights: str) -> None:
    ann.ok("CREATE Team")
    for _ in range(4):
        ann.append("Team")
    ann.ok(f"SETACL Team {bob.address} {rights}")
    selected = bob.ok(f'SELECT "{ann.shared("Team")}"')
    permanent = next(line for line in selected if "PERMANENTFLAGS" in line)
    for right, flag in (("s", "\\Seen"), ("t", "\\Deleted"), ("w", "\\Flagged"), ("w", "\\*")):
        assert (flag in permanent) == (right in rights)
        if flag == "\\*":
            continue
        changed = bob.hear(f"STORE 1 +FLAGS ({flag})")
        assert (" OK " in changed[-1]) == (right in rights)
        assert (flag in bob.flags()[0]) == (right in rights)
    bob.hear("STORE 2 FLAGS (\\Seen \\Deleted \\Flagged work)")
    expected = {"s": "\\Seen", "t": "\\Deleted", "w": "\\Flagged"}
    kept = [flag for right, flag in expected.items() if right in rights]
    assert sorted(bob.flags()[1].replace(" work", "").split()) == sorted(kept)
    bob.ok("FETCH 3 BODY[]")
    assert (bob.flags()[2] == "\\Seen") == ("s" in rights)
    moved = bob.hear("MOVE 4 INBOX")[-1]
    assert (" OK " in moved) == ({"t", "e"} <= set(rights))
    ann.ok("SELECT Team")
    ann.ok("STORE 1 +FLAGS (\\Deleted)")
    before = count(ann)
    assert (" OK " in bob.hear("EXPUNGE")[-1]) == ("e" in rights)
    assert (count(ann) < before) == ("e" in rights)
    ann.ok("NOOP")
    ann.ok("STORE 1 +FLAGS (\\Deleted)")
    bob.ok("CLOSE")  # never fails
    assert (count(ann) < before - 1) == ("e" in rights)


def count(person: Person) -> int:
    return int(person.ok("STATUS Team (MESSAGES)")[-1].split("MESSAGES ")[1].rstrip(")"))
