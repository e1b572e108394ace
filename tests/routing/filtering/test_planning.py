"""What scripts asked for becomes what is done: without a database."""

from dataclasses import replace
from typing import Any

import pytest

from accounts.addresses import parse_address
from accounts.entries import MailboxFacts
from accounts.mailstore.values import MailboxId
from routing.decisions import Filtered, Refusal, Target
from routing.envelope import Recipient
from routing.filtering.planning import Surroundings, plan_filtered
from routing.filtering.versions import Versions
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
from routing.sieve.message import HeaderField, Message
from routing.sieve.results import Result

ANN = MailboxFacts(MailboxId(1), "ann@here.example", is_full=False)
TO = Recipient(parse_address("ann+tag@here.example"))
MESSAGE = Message(b"From: a@s.example\r\nSubject: x\r\n\r\nText.\r\n")


def planned(*actions: Action, message: Message = MESSAGE, **around: Any) -> Filtered:
    surroundings = Surroundings(
        original=message,
        sender="a@s.example",
        own_addresses=lambda: ["ann@here.example", "alias@here.example"],
        members=lambda name: {"friends": ["f1@x.example", "f2@x.example"]}.get(name, ()),
    )
    return plan_filtered(ANN, TO, Result(message, actions), replace(surroundings, **around))


def targets(filtered: Filtered) -> list[Target]:
    return [copy.target for copy in filtered.copies]


def addresses(filtered: Filtered) -> list[str]:
    return [str(one.address) for one in filtered.redirections]


def test_copies_of_one_folder_are_one_and_the_later_flags_win() -> None:
    filtered = planned(
        FileInto("inbox", ("\\Seen",)),
        FileInto("Work"),
        Keep(("\\Flagged",)),
        FileInto("Junk", special_use="\\Junk", create=True),
    )
    assert targets(filtered) == [
        Target(),
        Target("Work"),
        Target("Junk", create=True, special_use="\\Junk"),
    ]
    assert filtered.copies[0].flags == ("\\Flagged",)
    assert all(copy.content is None for copy in filtered.copies)


def test_an_edited_message_is_the_owners_own() -> None:
    edited = MESSAGE.with_header([HeaderField("Subject", b" y"), *MESSAGE.header_fields])
    surroundings = Surroundings(MESSAGE, "a@s.example", list, lambda name: ())
    filtered = plan_filtered(
        ANN, TO, Result(edited, (Keep(), Redirect("b@x.example"))), surroundings
    )
    content = b"Subject: y\r\n" + MESSAGE.content
    assert [copy.content for copy in filtered.copies] == [content]
    assert [one.content for one in filtered.redirections] == [content]


def test_the_same_edit_is_held_once_and_many_large_ones_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("routing.filtering.versions.ROOM", 2 * len(MESSAGE.content) + 40)
    versions = Versions()

    def edited(tag: bytes) -> Message:
        return MESSAGE.with_header([HeaderField("X-Tag", tag), *MESSAGE.header_fields])

    def filed(tag: bytes) -> Filtered:
        around = Surroundings(MESSAGE, "a@s.example", list, lambda name: (), versions=versions)
        return plan_filtered(ANN, TO, Result(edited(tag), (Keep(),)), around)

    contents = [filed(tag).copies[0].content for tag in (b"1", b"1", b"2")]
    assert contents[0] is contents[1]
    assert contents[2] == edited(b"2").content
    other = filed(b"3")
    assert other.copies[0].content is None
    assert "as it came" in other.notes[0]


def test_a_redirect_ends_after_some_hops() -> None:
    marks = [HeaderField("X-Sieve-Redirected-From", b" u%d@here.example" % n) for n in range(5)]
    for count in (4, 5):
        message = MESSAGE.with_header([*marks[:count], *MESSAGE.header_fields])
        filtered = planned(Redirect("b@x.example"), message=message)
        assert (len(filtered.redirections), len(filtered.copies)) == ((1, 0), (0, 1))[count - 4]


def test_redirects_go_to_addresses_and_lists_each_once() -> None:
    filtered = planned(
        Redirect("Bob <B@X.example>"), Redirect("b@x.example"), Redirect("", list_name="friends")
    )
    assert addresses(filtered) == ["B@x.example", "f1@x.example", "f2@x.example"]
    assert filtered.copies == ()


@pytest.mark.parametrize(
    "action", [Redirect("no address"), Redirect("a@b, c@d"), Redirect("", list_name="nobody")]
)
def test_a_redirect_to_nobody_keeps(action: Redirect) -> None:
    filtered = planned(action)
    assert addresses(filtered) == []
    assert targets(filtered) == [Target()]
    assert filtered.notes


def test_what_was_redirected_from_here_is_kept() -> None:
    looped = Message(b"X-Sieve-Redirected-From: ANN@here.example\r\n" + MESSAGE.content)
    filtered = planned(Redirect("b@x.example"), message=looped)
    assert addresses(filtered) == []
    assert targets(filtered) == [Target()]
    # by somebody else it is no loop yet
    other = Message(b"X-Sieve-Redirected-From: bob@here.example\r\n" + MESSAGE.content)
    assert addresses(planned(Redirect("b@x.example"), message=other)) == ["b@x.example"]


def test_spam_goes_nowhere_and_answers_nobody() -> None:
    filtered = planned(
        FileInto("Spam"),
        Redirect("b@x.example"),
        Vacation("away", "ann@here.example"),
        is_spam=True,
    )
    assert (addresses(filtered), filtered.answers) == ([], ())
    assert targets(filtered) == [Target("Spam")]


def test_nothing_is_done_for_discard() -> None:
    filtered = planned(Discard())
    assert (filtered.copies, filtered.redirections, filtered.refusal) == ((), (), None)


def test_a_refusal_is_told_in_a_reply_where_it_can_be() -> None:
    assert planned(Reject("no")).refusal == Refusal("no", extended=False)
    assert Refusal("no", extended=False).fits_reply
    assert not Refusal("nö", extended=False).fits_reply
    assert Refusal("nö", extended=True).fits_reply


def test_an_answer_comes_from_the_owners_own_addresses_only() -> None:
    own = Vacation("away", "ann@here.example", sender="Ann <alias+x@here.example>")
    other = Vacation("away", "ann@here.example", sender="boss@here.example")
    assert planned(own).answers == (own,)
    assert planned(other).answers == (replace(other, sender=""),)


def test_null_senders_and_automatic_mail_are_not_answered() -> None:
    assert planned(Vacation("away", "ann@here.example"), sender="").answers == ()
    automatic = Message(b"Auto-Submitted: auto-generated\r\n" + MESSAGE.content)
    assert planned(Notify("mailto:x@y.example"), message=automatic).answers == ()
    assert len(planned(Notify("mailto:x@y.example"), sender="").answers) == 1


def test_what_nobody_knows_how_to_do_keeps() -> None:
    assert targets(planned(Action())) == [Target()]
    assert targets(planned(SetFlags(("\\Seen",)))) == []
