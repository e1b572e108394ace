"""What a script's result means for a message that is in a folder already."""

from routing.decisions import Target
from routing.old_mail import Refiling, refiling
from routing.sieve.actions import (
    Action,
    Discard,
    FileInto,
    Keep,
    Notify,
    Redirect,
    Reject,
    SetFlags,
    Vacation,
)
from routing.sieve.message import Message
from routing.sieve.results import Result

IMPLICIT = Keep(implicit=True)
TRASH = Target(create=True, special_use="\\Trash")


def what(*actions: Action, is_edited: bool = False) -> Refiling:
    return refiling(Result(Message(b""), actions), is_edited=is_edited)


def test_keep_stays_and_fileinto_goes() -> None:
    assert what(IMPLICIT) == Refiling(True)
    assert what(Keep(("\\Flagged",))) == Refiling(True, ("\\Flagged",))
    assert what(FileInto("a", ("x",))) == Refiling(False, (), ((Target("a"), ("x",)),))
    assert what(FileInto("a", copy=True), IMPLICIT) == Refiling(True, (), ((Target("a"), ()),))
    assert what(FileInto("a"), FileInto("b", create=True)).targets == (
        (Target("a"), ()),
        (Target("b", create=True), ()),
    )
    assert what(SetFlags(("x",)), IMPLICIT).stays


def test_discard_goes_to_trash_unless_something_else_was_wanted() -> None:
    assert what(Discard()) == Refiling(False, (), ((TRASH, ()),), is_discard=True)
    assert what(Discard(), FileInto("a")) == what(FileInto("a"))
    assert what(Discard(), Keep()) == Refiling(True)
    assert what(Redirect("a@b"), Discard()) == Refiling(True, left_undone=("redirect",))


def test_what_reaches_others_is_left_undone_and_the_message_stays() -> None:
    assert what(Redirect("a@b")) == Refiling(True, left_undone=("redirect",))
    assert what(Reject("no")) == Refiling(True, left_undone=("reject",))
    assert what(Reject("no", extended=True)).left_undone == ("ereject",)
    assert what(Vacation("away", "me"), Notify("mailto:a@b"), IMPLICIT) == Refiling(
        True, left_undone=("vacation", "notify")
    )
    assert what(Redirect("a@b"), FileInto("a")) == Refiling(
        False, (), ((Target("a"), ()),), left_undone=("redirect",)
    )
    assert what(IMPLICIT, is_edited=True) == Refiling(True, left_undone=("an edit of the message",))
