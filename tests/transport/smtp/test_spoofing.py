"""MAIL FROM of a local domain on port 25: only hosts that the domain itself authorises, by SPF."""

import pytest

from accounts.addresses import SRS_PREFIX
from accounts.directory import srs_address
from tests.factories import unique


@pytest.mark.parametrize(
    ("records", "code"),
    [
        (["v=spf1 ip4:127.0.0.1 -all"], "250 2.1.0"),
        (["v=spf1 ip4:192.0.2.1 -all"], "550 5.7.1"),
        (["v=spf1 ip4:192.0.2.1 ~all"], "550 5.7.1"),
        (["v=spf1 ?all"], "550 5.7.1"),
        (["v=spf1 ip4:127.0.0.1", "v=spf1 -all"], "550 5.7.1"),
        ([], "550 5.7.1"),
    ],
)
def test_only_spfs_pass_lets_a_local_reverse_path_in(
    dialogue, make_user, zones, records: list[str], code: str
) -> None:
    user = make_user()
    zones.load({user.domain.name: {"TXT": [f'"{record}"' for record in records]}})
    assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith(code)


def test_an_include_and_an_mx_are_followed(dialogue, make_user, zones) -> None:
    user = make_user()
    zones.load(
        {
            user.domain.name: {"TXT": ['"v=spf1 include:letters.example -all"']},
            "letters.example": {"TXT": ['"v=spf1 mx -all"'], "MX": ["10 mx.letters.example"]},
            "mx.letters.example": {"A": ["127.0.0.1"]},
        }
    )
    assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith("250 2.1.0")


def test_a_dns_failure_is_temporary(dialogue, make_user, zones) -> None:
    user = make_user()
    zones.load({user.domain.name: {"TXT": ['"v=spf1 include:broken.example -all"']}})
    zones.fail("broken.example", "SERVFAIL")
    assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith("451 4.4.3")


def test_spf_refuses_nobody_for_a_foreign_domain(dialogue, zones) -> None:
    zones.load({"foreign.example": {"TXT": ['"v=spf1 -all"']}})
    assert dialogue.say("MAIL FROM:<a@foreign.example>").startswith("250 2.1.0")


def test_an_allowed_client_opens_the_door_for_itself_alone(
    server, make_user, zones, database
) -> None:
    user = make_user()
    zones.load({user.domain.name: {"TXT": ['"v=spf1 -all"']}})
    dialogue = server.dialogue()
    dialogue.say("EHLO client.example")
    database.execute(
        "INSERT INTO transport_allowedclient (network, note) VALUES ('127.0.0.0/8', '')"
    )
    try:
        assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith("250 2.1.0")
    finally:
        database.execute("DELETE FROM transport_allowedclient WHERE network = '127.0.0.0/8'")
    assert dialogue.say("RSET").startswith("250")
    assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith("550 5.7.1")
    dialogue.close()


@pytest.mark.parametrize(
    "path",
    [
        "<{name}@{DOMAIN}>",
        '<"{name}"@{domain}>',
        '<"{na}\\{me}"@{domain}>',
        "<@relay.example:{name}@{domain}>",
        "<@relay.example,@other.example:{name}@{domain}>",
        "<{name}+tag@{domain}>",
        "<nobody@{domain}>",
        " <{name}@{domain}>",
    ],
)
def test_no_other_spelling_of_a_local_reverse_path_gets_in(
    dialogue, make_user, zones, path: str
) -> None:
    user = make_user()
    domain = user.domain.name
    zones.load({domain: {"TXT": ['"v=spf1 -all"']}})
    name = user.username
    spelled = path.format(name=name, na=name[:2], me=name[2:], domain=domain, DOMAIN=domain.upper())
    assert dialogue.say(f"MAIL FROM:{spelled}").startswith("550 5.7.1")


def test_an_internationalised_local_domain_is_local_in_both_forms(
    dialogue, make_user, make_domain, zones
) -> None:
    label = f"b\u00fccher{unique('d')}"
    user = make_user(domain=make_domain(f"{label}.example"))
    zones.load({user.domain.name: {"TXT": ['"v=spf1 -all"']}})
    for domain in (user.domain.name, f"{label}.example", f"{label.upper()}.example"):
        command = f"MAIL FROM:<{user.username}@{domain}> SMTPUTF8"
        assert dialogue.say(command).startswith("550 5.7.1")


@pytest.mark.parametrize(
    "path",
    [
        "<victim%elsewhere.example@{domain}>",
        "<elsewhere.example!victim@{domain}>",
        '<"victim@elsewhere.example"@{domain}>',
        "<@{domain}:victim@elsewhere.example>",
        "<victim@elsewhere.example@{domain}>",
        "<victim@[127.0.0.1]>",
        "<victim@[IPv6:::1]>",
        "<victim@elsewhere.{domain}>",
        "<victim@{domain}.>",
        "<victim>",
        "<srs0=abc=elsewhere.example=victim@{domain}>",
    ],
)
def test_no_spelling_of_a_recipient_relays(dialogue, make_user, path: str, zones) -> None:
    user = make_user()
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("250")
    assert dialogue.say(f"RCPT TO:{path.format(domain=user.domain.name)}")[0] == "5"


def test_what_we_forwarded_comes_back_by_the_address_that_we_gave_it(
    dialogue, make_user, zones, database
) -> None:
    user = make_user()
    zones.load({user.domain.name: {"TXT": ['"v=spf1 -all"']}})
    ours = srs_address(database, user.domain.name, "ann@elsewhere.example")
    assert dialogue.say(f"MAIL FROM:<{ours}>").startswith("250 2.1.0")
    dialogue.say("RSET")
    guessed = f"{SRS_PREFIX}{'0' * 20}@{user.domain.name}"
    assert dialogue.say(f"MAIL FROM:<{guessed}>").startswith("550 5.7.1")
