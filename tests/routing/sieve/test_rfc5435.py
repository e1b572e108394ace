"""The examples of notify (RFC 5435, RFC 5436); where they name xmpp, which this server does not know, they name mailto."""

import pytest

from routing.sieve.actions import FileInto, Keep, Notify
from routing.sieve.host import ScriptEnvelope
from tests.routing.sieve.scripts import actions_of, errors_of, header, is_true, result_of

KEPT = Keep(implicit=True)
LIST = """require ["enotify", "fileinto", "variables"];

if header :contains "from" "boss@example.org" {
    notify :importance "1"
        :message "This is probably very important"
                    "mailto:alm@example.com";
    # Don't send any further notifications
    stop;
}

if header :contains "to" "sievemailinglist@example.org" {
    # :matches is used to get the value of the Subject header
    if header :matches "Subject" "*" {
        set "subject" "${1}";
    }

    # :matches is used to get the value of the From header
    if header :matches "From" "*" {
        set "from" "${1}";
    }

    notify :importance "3"
        :message "[SIEVE] ${from}: ${subject}"
        "mailto:alm@example.com";
    fileinto "INBOX.sieve";
}"""
REALLY = """require ["enotify", "fileinto", "variables", "envelope"];

if header :matches "from" "*@*.example.org" {
    # :matches is used to get the MAIL FROM address
    if envelope :all :matches "from" "*" {
        set "env_from" " [really: ${1}]";
    }

    # :matches is used to get the value of the Subject header
    if header :matches "Subject" "*" {
        set "subject" "${1}";
    }

    # :matches is used to get the address from the From header
    if address :matches :all "from" "*" {
        set "from_addr" "${1}";
    }

    notify :message "${from_addr}${env_from}: ${subject}"
                    "mailto:alm@example.com";
}"""
METHOD = """require ["enotify", "variables"];

set "notif_method"
"mailto:tim@example.com?subject=SIEVE&body=You%20got%20mail";

if header :contains "subject" "Your dog" {
    set "notif_method" "tel:+14085551212";
}

if header :contains "to" "sievemailinglist@example.org" {
    set "notif_method" "";
}

if not string :is "${notif_method}" "" {
    notify "${notif_method}";
}"""
ENCODED = """require ["enotify", "variables"];

set :encodeurl "body_param" "Safe body&evil=evilbody";

notify "mailto:tim@example.com?body=${body_param}";"""
ONLINE = """require ["enotify"];

if notify_method_capability
       "mailto:tim@example.com?subject=SIEVE"
       "Online"
       "yes" {
    notify :importance "1" :message "You got mail"
         "mailto:tim@example.com?subject=SIEVE";
} else {
    notify :message "You got mail" "mailto:later@example.com";
}"""
KNITTING = """require ["enotify", "variables"];

if header :contains "list-id" "knitting.example.com" {
  if header :matches "Subject" "[*] *" {
    notify :message "From ${1} list: ${2}"
        :importance "3"
        "mailto:0123456789@sms.example.net?to=backup@example.com";
  }
}"""


def test_importance() -> None:
    """§3.7, example 1."""
    boss = header("From: boss@example.org", "To: sievemailinglist@example.org")
    important = Notify("mailto:alm@example.com", "This is probably very important", importance=1)
    assert actions_of(LIST, boss) == (important, KEPT)
    listed = header(
        "From: A <a@b>", "To: sievemailinglist@example.org", "Subject: =?utf-8?q?=E2=82=AC?="
    )
    low = Notify("mailto:alm@example.com", "[SIEVE] A <a@b>: €", importance=3)
    assert actions_of(LIST, listed) == (low, FileInto("INBOX.sieve"))
    assert actions_of(LIST, header("From: c@d")) == (KEPT,)


def test_texts_from_the_message() -> None:
    """§3.7, example 2."""
    message = header("From: a@sub.example.org", "Subject: hi")
    envelope = ScriptEnvelope("x@y.example", "me@example.org")
    assert actions_of(REALLY, message, envelope=envelope) == (
        Notify("mailto:alm@example.com", "a@sub.example.org [really: x@y.example]: hi"),
        KEPT,
    )


def test_a_method_in_a_variable() -> None:
    """§3.7, example 3."""
    uri = "mailto:tim@example.com?subject=SIEVE&body=You%20got%20mail"
    assert actions_of(METHOD) == (Notify(uri), KEPT)
    assert actions_of(METHOD, header("To: sievemailinglist@example.org")) == (KEPT,)
    result = result_of(METHOD, header("Subject: Your dog"))
    assert "tel:" in str(result.error)
    assert result.actions == (KEPT,)


def test_examples_of_tests_and_set() -> None:
    """§4-§6."""
    uris = '["mailto:", "http://gw.example.net/notify?test"]'
    assert is_true(f"not valid_notify_method {uris}", require=("enotify",))
    assert actions_of(ENCODED)[0] == Notify(
        "mailto:tim@example.com?body=Safe%20body%26evil%3Devilbody"
    )
    assert actions_of(ONLINE)[0] == Notify("mailto:later@example.com", "You got mail")


def test_a_capability_has_one_value_or_none() -> None:
    """§5."""
    for name, count in (("online", 1), ("other", 0)):
        test = f'notify_method_capability :count "eq" "mailto:a@b.example" "{name}" "{count}"'
        assert is_true(test, require=("enotify", "relational")) is (count == 1)


def test_knitting() -> None:
    """RFC 5436 §3."""
    message = header(
        "List-Id: Knitting Mailing List <knitting.example.com>",
        "Subject: [Knitting] A new sweater",
    )
    assert actions_of(KNITTING, message) == (
        Notify(
            "mailto:0123456789@sms.example.net?to=backup@example.com",
            "From Knitting list: A new sweater",
            importance=3,
        ),
        KEPT,
    )


@pytest.mark.parametrize(
    ("sender", "is_valid"),
    [
        ("me@example.org", True),
        ("Me <me@example.org>", True),
        ("", False),
        ("nobody at all", False),
        ("a@example.org, b@example.org", False),
    ],
)
def test_from_is_one_address(sender: str, is_valid: bool) -> None:
    """§3.3: told as the script is compiled, or as it runs where only then it is known."""
    require = 'require ["enotify", "variables"];'
    script = f'{require} notify :from "{sender}" "mailto:a@b.example";'
    assert (errors_of(script) == []) is is_valid
    later = f'{require} set "s" "{sender}"; notify :from "${{s}}" "mailto:a@b.example";'
    assert (result_of(later).error is None) is is_valid


def test_notify_stands_beside_all_other_actions() -> None:
    """§7."""
    script = 'require ["enotify", "reject"]; notify "mailto:a@b.example"; discard; reject "no";'
    refused = script.replace("discard; ", "")
    assert len(actions_of(script.replace(' reject "no";', ""))) == 2
    assert result_of(refused).error is None


def test_what_cannot_be_encoded_is_replaced() -> None:
    script = """require ["enotify", "variables"];
    if header :matches "subject" "*" { set :encodeurl "s" "${1}"; }
    notify "mailto:a@b.example?subject=${s}";"""
    action = actions_of(script, b"Subject: \xff\xfe=?utf-8?q?=ED=A0=80?=\r\n\r\n")[0]
    assert isinstance(action, Notify)
    assert action.method.isascii()
