"""From resolutions to a plan: pure tables."""

import pytest

from accounts.addresses import Address
from accounts.entries import MailboxFacts
from accounts.mailstore.values import MailboxId
from routing.decisions import Elsewhere, Filing, Reached, Refiling, Sending, Unreachable
from routing.delivery import plan_delivery
from routing.envelope import Recipient

A = MailboxFacts(MailboxId(1), "a@here.example", False)
B = MailboxFacts(MailboxId(2), "b@here.example", False)
FULL = MailboxFacts(MailboxId(3), "full@here.example", True)
OUT = Address("x", "out.example")


def to(local_part: str, notify: str = "") -> Recipient:
    return Recipient(Address(local_part, "here.example"), notify)


def test_each_mailbox_gets_one_copy_under_the_first_recipient_that_leads_there() -> None:
    plan = plan_delivery(
        [(to("group"), Reached((A, B), (), "here.example")), (to("a"), Reached((A,)))]
    )
    assert plan.filings == (Filing(A, to("group")), Filing(B, to("group")))
    assert plan.owners == (1, 2)
    assert plan.refilings == plan.sendings == ()


def test_a_full_mailbox_beside_others_is_left_to_the_queue() -> None:
    plan = plan_delivery([(to("group"), Reached((A, FULL), (), "here.example"))])
    assert plan.filings == (Filing(A, to("group")),)
    assert plan.refilings == (Refiling(FULL, to("group")),)


def test_what_leaves_is_grouped_by_who_forwards_and_sent_once() -> None:
    outside = Recipient(OUT, "FAILURE", "rfc822;x@out.example")
    plan = plan_delivery(
        [
            (outside, Elsewhere()),
            (to("group"), Reached((), (OUT, Address("y", "out.example")), "here.example")),
        ]
    )
    assert plan.sendings == (
        Sending((outside,)),
        Sending((Recipient(Address("y", "out.example")),), "here.example"),
    )


@pytest.mark.parametrize(
    ("asked", "passed_on"),
    [
        ("", ""),
        ("NEVER", "NEVER"),
        ("SUCCESS", "NEVER"),
        ("SUCCESS,FAILURE", "FAILURE"),
        ("FAILURE,DELAY", "FAILURE,DELAY"),
    ],
)
def test_members_of_a_group_are_not_asked_for_success(asked: str, passed_on: str) -> None:
    plan = plan_delivery([(to("group", asked), Reached((), (OUT,), "here.example"))])
    assert plan.sendings[0].recipients[0].notify == passed_on
    plan = plan_delivery([(to("srs", asked), Reached((), (OUT,)))])
    assert plan.sendings[0].recipients[0].notify == asked


def test_an_unreachable_recipient_must_not_come_so_far() -> None:
    with pytest.raises(ValueError):
        plan_delivery([(to("a"), Unreachable.UNKNOWN)])
