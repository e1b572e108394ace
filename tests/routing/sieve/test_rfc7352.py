"""The examples of duplicate (RFC 7352 §5)."""

import pytest

from routing.sieve.actions import Action, Discard, FileInto, Keep
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import ENVELOPE, header, result_of

KEPT = (Keep(implicit=True),)
TRASH = """require ["duplicate", "fileinto", "mailbox"];
if duplicate {
  fileinto :create "Trash/Duplicate";
}"""
ALERT = """require ["duplicate", "variables", "imap4flags",
  "fileinto"];
if header :matches "subject" "ALERT: *" {
  if duplicate :seconds 60 :uniqueid "${1}" {
    setflag "\\\\seen";
  }
  fileinto "Alerts";
}"""
SENDER = """require ["variables", "envelope", "enotify", "duplicate"];
if envelope :matches "from" "*" { set "sender" "${1}"; }
if header :matches "subject" "*" { set "subject" "${1}"; }
# account for 'Re:' prefix
if string :comparator "i;ascii-casemap"
  :matches "${subject}" "Re:*"
{
  set "subject" "${1}";
}
if not duplicate :seconds 1800
  :uniqueid "${sender} ${subject}"
{
  notify :message "[SIEVE] ${sender}: ${subject}"
    "mailto:user@im.example.com";
}"""
TWO = """require ["duplicate", "imap4flags"];
if duplicate :header "X-Event-ID" :handle "notifier" {
  discard;
}
if allof (
  duplicate :header "X-Ticket-ID" :handle "support",
  address "to" "support@example.com",
  header :contains "subject" "fileserver")
{
  setflag "\\\\seen";
}"""


def run(script: str, host: MemoryHost, *lines: str) -> tuple[Action, ...]:
    result = result_of(script, header(*lines), ENVELOPE, host)
    assert result.error is None
    host.memories |= {(memory.kind, memory.key) for memory in result.memories}
    return result.actions


def test_a_second_copy_goes_into_the_trash() -> None:
    host = MemoryHost()
    assert run(TRASH, host, "Message-ID: <a@b>") == KEPT
    assert run(TRASH, host, "Message-ID:\r\n <a@b> ") == (FileInto("Trash/Duplicate", create=True),)
    assert run(TRASH, host, "Message-ID: <A@b>") == KEPT


def test_the_first_alert_is_unseen() -> None:
    host = MemoryHost()
    flags = [run(ALERT, host, "Subject: ALERT: disk full")[0].flags for _ in range(2)]  # type: ignore[attr-defined]
    assert flags == [(), ("\\Seen",)]
    assert result_of(ALERT, header("Subject: ALERT: x")).memories[0].seconds == 60


def test_one_notification_a_sender_and_subject() -> None:
    host = MemoryHost()
    subjects = ["Subject: tea", "Subject: Re: tea", "Subject: Re:  tea", "Subject: coffee"]
    assert [len(run(SENDER, host, subject)) for subject in subjects] == [2, 2, 2, 2]
    assert [len(run(SENDER, host, subject)) for subject in subjects] == [1, 1, 1, 1]


def test_handles_keep_ids_apart() -> None:
    host = MemoryHost()
    assert run(TWO, host, "X-Event-ID: 1") == KEPT
    ticket = ("X-Ticket-ID: 1", "To: support@example.com", "Subject: fileserver down")
    assert run(TWO, host, *ticket)[0].flags == ()  # type: ignore[attr-defined]
    assert run(TWO, host, *ticket)[0].flags == ("\\Seen",)  # type: ignore[attr-defined]
    assert run(TWO, host, "X-Event-ID: 1") == (Discard(),)


@pytest.mark.parametrize("seconds", [10**9, 2**31 - 1])
def test_a_long_time_is_cut_in_silence(seconds: int) -> None:
    """§3.3."""
    script = f'require "duplicate"; if duplicate :seconds {seconds} {{ discard; }}'
    assert [memory.seconds for memory in result_of(script).memories] == [365 * 86_400]


def test_only_the_first_field_counts() -> None:
    """§3.1."""
    host = MemoryHost()
    assert run(TRASH, host, "Message-ID: <a@b>", "Message-ID: <c@d>") == KEPT
    assert run(TRASH, host, "Message-ID: <c@d>") == KEPT
