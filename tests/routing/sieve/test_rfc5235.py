"""The examples of spamtest and virustest (RFC 5235), and those of RFC 5429 and RFC 5490 that are like them."""

import pytest

from routing.sieve.actions import Action, Discard, FileInto, Keep, Reject, Vacation
from tests.routing.sieve.memory_host import MemoryHost
from tests.routing.sieve.scripts import actions_of, header

KEPT = Keep(implicit=True)
UNCLASSIFIED = FileInto("INBOX.unclassified")
SPAM = """require ["spamtest", "fileinto", "relational", "comparator-i;ascii-numeric"];
if spamtest :value "eq" :comparator "i;ascii-numeric" "0"
{
    fileinto "INBOX.unclassified";
}
elsif spamtest :value "ge" :comparator "i;ascii-numeric" "3"
{
    fileinto "INBOX.spam-trap";
}"""
PERCENT = """require ["spamtestplus", "fileinto", "relational",
         "comparator-i;ascii-numeric"];
if spamtest :value "eq"
            :comparator "i;ascii-numeric" "0"
{
    fileinto "INBOX.unclassified";
}
elsif spamtest :percent :value "eq"
               :comparator "i;ascii-numeric" "0"
{
    fileinto "INBOX.not-spam";
}
elsif spamtest :percent :value "lt"
               :comparator "i;ascii-numeric" "37"
{
    fileinto "INBOX.spam-trap";
}
else
{
    discard;
}"""
COUNTED = PERCENT.replace('if spamtest :value "eq"', 'if spamtest :percent :count "eq"', 1)
VIRUS = """require ["virustest", "fileinto", "relational", "comparator-i;ascii-numeric"];
if virustest :value "eq" :comparator "i;ascii-numeric" "0"
{
    fileinto "INBOX.unclassified";
}
if virustest :value "eq" :comparator "i;ascii-numeric" "4"
{
    fileinto "INBOX.quarantine";
}
elsif virustest :value "eq" :comparator "i;ascii-numeric" "5"
{
    discard;
}"""


def scores(spam: str, percent: str) -> dict[str, str]:
    return {"spamtest": spam, "spamtest.percent": percent}


@pytest.mark.parametrize(
    ("script", "environment", "action"),
    [
        (SPAM, {}, UNCLASSIFIED),
        (SPAM, scores("1", "0"), KEPT),
        (SPAM, scores("3 (a text of the classifier)", "20"), FileInto("INBOX.spam-trap")),
        (SPAM, scores("10", "100"), FileInto("INBOX.spam-trap")),
        *(
            case
            for script in (PERCENT, COUNTED)
            for case in (
                (script, {}, UNCLASSIFIED),
                (script, scores("1", "0"), FileInto("INBOX.not-spam")),
                (script, scores("4", "36"), FileInto("INBOX.spam-trap")),
                (script, scores("4", "37"), Discard()),
                (script, scores("10", "100"), Discard()),
            )
        ),
        (VIRUS, {}, UNCLASSIFIED),
        (VIRUS, {"virustest": "1"}, KEPT),
        (VIRUS, {"virustest": "4"}, FileInto("INBOX.quarantine")),
        (VIRUS, {"virustest": "5"}, Discard()),
    ],
)
def test_examples(script: str, environment: dict[str, str], action: Action) -> None:
    assert actions_of(script, environment=environment) == (action,)


REFUSED = """require ["ereject", "spamtest", "fileinto", "relational",
         "comparator-i;ascii-numeric"];
if spamtest :value "ge"
            :comparator "i;ascii-numeric" "6" {
    ereject text:
AntiSpam engine thinks your message is spam.
It is therefore being refused.
Please call 1-900-PAY-US if you want to reach us.
.
    ;
} elsif spamtest :value "ge"
                 :comparator "i;ascii-numeric" "4" {
    fileinto "Suspect";
}"""
SENDER = """require ["ereject"];
if address "from" "someone@example.com" {
    ereject "I no longer accept mail from this address";
}"""
COYOTE = """require ["reject"];
if header :contains "from" "coyote@desert.example.org" {
    reject text:
I am not taking mail from you, and I don't
want your birdseed, either!
.
    ;
}"""


def test_examples_of_reject() -> None:
    """RFC 5429 §2.1, §2.2.1, §2.5; `:value` needs "relational", which the RFC leaves out."""
    [action] = actions_of(REFUSED, environment=scores("6", "60"))
    assert isinstance(action, Reject)
    assert action.extended
    assert action.reason.splitlines() == [
        "AntiSpam engine thinks your message is spam.",
        "It is therefore being refused.",
        "Please call 1-900-PAY-US if you want to reach us.",
    ]
    assert actions_of(REFUSED, environment=scores("4", "40")) == (FileInto("Suspect"),)
    assert actions_of(REFUSED) == (KEPT,)
    assert actions_of(SENDER, header("From: Some <someone@example.com>")) == (
        Reject("I no longer accept mail from this address", extended=True),
    )
    assert actions_of(SENDER) == (KEPT,)
    [birdseed] = actions_of(COYOTE, header("From: coyote@desert.example.org"))
    assert isinstance(birdseed, Reject)
    assert not birdseed.extended


PARTNERS = """require ["fileinto", "reject", "mailbox"];
if mailboxexists "Partners" {
   fileinto "Partners";
} else {
   reject "This message was not accepted by the Mailstore";
}"""
REPLIES = """require ["mboxmetadata", "vacation"];
if metadata :is "INBOX"
   "/private/vendor/vendor.isode/auto-replies" "on" {
    vacation text:
I'm away on holidays till March 2009.
Expect a delay.
.
;}"""
URI = "/private/vendor/vendor.isode/notification-uri"
NOTIFIED = f"""require ["enotify", "servermetadata", "variables", "envelope"];
if servermetadata :matches
   "{URI}" "*" {{
    set "notif_uri" "${{0}}";
}}
if not string :is "${{notif_uri}}" "none" {{
    if envelope :all :matches "from" "*" {{
        set "env_from" " [really: ${{1}}]";
    }}
    notify :message "${{env_from}}" "${{notif_uri}}";
}}"""


def test_examples_of_folders_and_annotations() -> None:
    """RFC 5490 §3.1, §3.3, §4.1."""
    assert actions_of(PARTNERS, host=MemoryHost(folders={"Partners"})) == (FileInto("Partners"),)
    assert actions_of(PARTNERS) == (Reject("This message was not accepted by the Mailstore"),)
    entry = ("INBOX", "/private/vendor/vendor.isode/auto-replies")
    on, off = (MemoryHost(annotations={entry: value}) for value in ("on", "off"))
    assert isinstance(actions_of(REPLIES, host=on)[0], Vacation)
    assert actions_of(REPLIES, host=off) == actions_of(REPLIES) == (KEPT,)
    none = MemoryHost(annotations={(None, URI): "none"})
    assert actions_of(NOTIFIED, host=none) == (KEPT,)
    mail = MemoryHost(annotations={(None, URI): "mailto:a@b.example"})
    assert len(actions_of(NOTIFIED, host=mail)) == 2
