"""Scripts that follow IMAP commands (RFC 6785): the examples, and what has no place there."""

import pytest

from routing.sieve.actions import Keep, Notify, Redirect
from tests.routing.sieve.scripts import actions_of, errors_of, is_true, result_of

EVENT = {
    "location": "MS",
    "phase": "post",
    "imap.user": "tim",
    "imap.email": "tim@example.com",
    "imap.cause": "APPEND",
    "imap.mailbox": "ActionItems",
    "imap.changedflags": "",
}
FLAGGED = EVENT | {"imap.cause": "FLAG", "imap.changedflags": "\\Flagged \\Seen"}
KEPT = (Keep(implicit=True),)

ACTION_ITEMS = """require ["copy", "environment", "imapsieve"];
if anyof (environment :is "imap.cause" "APPEND",
          environment :is "imap.cause" "COPY")  {
    if environment :is "imap.mailbox" "ActionItems" {
        redirect :copy "actionitems@example.com";
    }
}"""
IMPORTANT = """require ["enotify", "imap4flags", "variables",
         "environment", "imapsieve"];

if environment :matches "imap.mailbox" "*" {
    set "mailbox" "${1}";
}

if allof (hasflag "\\\\Flagged",
          environment :contains "imap.changedflags" "\\\\Flagged") {
  notify :message "Important message in ${mailbox}"
      "mailto:tim@example.com?subject=SIEVE";
}"""


def test_what_is_appended_is_sent_on() -> None:
    """§5, example 1."""
    sent = Redirect("actionitems@example.com", copy=True)
    assert actions_of(ACTION_ITEMS, environment=EVENT) == (sent, *KEPT)
    assert actions_of(ACTION_ITEMS, environment=EVENT | {"imap.cause": "COPY"}) == (sent, *KEPT)
    assert actions_of(ACTION_ITEMS, environment=FLAGGED) == KEPT
    assert actions_of(ACTION_ITEMS, environment=EVENT | {"imap.mailbox": "INBOX"}) == KEPT


def test_a_flag_that_was_set_notifies() -> None:
    """§5, example 2; "imap.flags" is ours."""
    note = Notify("mailto:tim@example.com?subject=SIEVE", "Important message in ActionItems")
    assert actions_of(IMPORTANT, environment=FLAGGED | {"imap.flags": "\\Flagged"})[0] == note
    assert len(actions_of(IMPORTANT, environment=FLAGGED | {"imap.flags": "\\Seen"})) == 1
    unchanged = FLAGGED | {"imap.flags": "\\Flagged", "imap.changedflags": "\\Seen"}
    assert len(actions_of(IMPORTANT, environment=unchanged)) == 1


@pytest.mark.parametrize(
    "script",
    [
        'require "vacation"; vacation "x";',
        'require "vacation-seconds"; vacation :seconds 0 "x";',
        'require "reject"; reject "x";',
        'require "ereject"; ereject "x";',
        'require "envelope"; if envelope "from" "x" { discard; }',
        'require "duplicate"; if duplicate { discard; }',
        'require ["fileinto", "vacation"]; keep;',
        'require "ihave"; if ihave "reject" { reject "x"; }',
    ],
)
def test_what_is_for_delivery_only_is_an_error(script: str) -> None:
    """§3.11, §4.6; RFC 7352 §3.4. At a delivery it is none."""
    result = result_of(script, environment=EVENT)
    assert "delivered" in str(result.error)
    assert result.actions == KEPT
    assert result_of(script, environment=dict.fromkeys(EVENT, "")).error is None


def test_items_are_empty_at_a_delivery() -> None:
    """§4.2."""
    environment = dict.fromkeys(EVENT, "")
    test = 'environment :is "imap.user" ""'
    assert is_true(test, require=("environment", "imapsieve"), environment=environment)


def test_the_environment_is_required_beside_it() -> None:
    """§2.1."""
    assert errors_of('require "imapsieve"; if environment "imap.cause" "APPEND" { discard; }')
