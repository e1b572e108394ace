"""The admin's pages of how mail leaves: queue, relays, DKIM keys, allowed clients."""

from typing import Any

import psycopg
import pytest
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from accounts.secrets import decrypt
from tests.dns_server import DnsServer
from tests.factories import MakeDomain, MakeUser, unique
from transport.dns.resolver import resolver
from transport.models import DkimKey, QueuedMessage, QueuedRecipient, Relay
from transport.queue import wakeups
from transport.signing_keys import record_value

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def client(make_user: MakeUser) -> Client:
    """An administrator's browser."""
    administrator: User = make_user(is_admin=True)
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The next hops that workers were told of: there is no broker here."""
    hops: list[str] = []
    monkeypatch.setattr(wakeups, "wake", hops.extend)
    return hops


@pytest.fixture
def queued(database: Database, orm: None) -> QueuedRecipient:
    """One recipient that waits for tomorrow."""
    row = database.execute(
        """INSERT INTO mail_blob (sha256, size, content) VALUES (sha256(%s), 4, 'mail') RETURNING id""",
        (unique("blob").encode(),),
    ).fetchone()
    assert row
    message = QueuedMessage.objects.create(
        trace_id=unique("t"), blob_id=row[0], size=4, reverse_path="", domain_name="example.org"
    )
    database.execute(
        """INSERT INTO transport_queuedrecipient (message_id, forward_path, next_hop, notify, orcpt, state, attempts,
            next_attempt_at, last_status, last_reply, last_host, delay_notified)
        VALUES (%s, %s, 'far.example', '', '', 'waiting', 2, now() + interval '1 day', '4.7.1', %s, '', false)""",
        (message.pk, f"{unique('ann')}@far.example", "451 4.7.1 later " * 20),
    )
    return QueuedRecipient.objects.get(message=message)


def page(model: str, kind: str = "changelist", *arguments: Any) -> str:
    return reverse(f"admin:transport_{model}_{kind}", args=arguments)


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def act(client: Client, queued: QueuedRecipient, action: str) -> None:
    data = {"action": action, "_selected_action": [queued.pk]}
    assert client.post(page("queuedrecipient"), data).status_code == 302
    queued.refresh_from_db()


def test_the_queue_is_searched_and_read(client: Client, queued: QueuedRecipient) -> None:
    listing = text(client.get(page("queuedrecipient") + f"?q={queued.forward_path}"))
    assert queued.forward_path in listing
    assert "451 4.7.1 later" in listing
    story = text(client.get(page("queuedrecipient", "change", queued.pk)))
    assert queued.message.trace_id in story
    assert (
        client.post(page("queuedrecipient", "change", queued.pk), {"attempts": 0}).status_code
        == 403
    )
    assert client.get(page("queuedrecipient", "add")).status_code == 403


def test_try_again_now_makes_it_due_and_wakes_a_worker(
    client: Client, queued: QueuedRecipient, woken: list[str]
) -> None:
    tomorrow = queued.next_attempt_at
    act(client, queued, "retry_now")
    assert queued.next_attempt_at < tomorrow
    assert woken == ["far.example"]


def test_what_is_held_goes_on_when_it_is_released(
    client: Client, queued: QueuedRecipient, woken: list[str]
) -> None:
    tomorrow = queued.next_attempt_at
    act(client, queued, "hold")
    assert queued.state == QueuedRecipient.State.HELD
    assert queued.forward_path in text(client.get(page("queuedrecipient") + "?state__exact=held"))
    act(client, queued, "release")
    assert queued.state == QueuedRecipient.State.WAITING
    assert queued.next_attempt_at < tomorrow
    assert woken == ["far.example"]


def test_taking_out_ends_it(client: Client, queued: QueuedRecipient) -> None:
    act(client, queued, "cancel")
    assert queued.state == QueuedRecipient.State.CANCELLED


def test_giving_up_ends_it(client: Client, queued: QueuedRecipient, woken: list[str]) -> None:
    act(client, queued, "return_to_sender")
    assert queued.state == QueuedRecipient.State.FAILED


def relay_form(domain: Any, **fields: Any) -> dict[str, Any]:
    return {"domain": domain, "host": "relay.example", "port": 587, "tls": "automatic", **fields}


def test_a_relay_s_password_is_kept_encrypted_and_stays_unless_changed(
    client: Client, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    text(client.get(page("relay", "add")))
    made = client.post(
        page("relay", "add"), relay_form(domain.pk, username="me", password="secret")
    )
    assert made.status_code == 302
    relay = Relay.objects.get(domain=domain)
    assert decrypt(relay.password_encrypted) == "secret"
    change = page("relay", "change", relay.pk)
    shown = text(client.get(change))
    assert "secret" not in shown
    assert relay.password_encrypted not in shown
    assert client.post(change, relay_form(domain.pk, username="you")).status_code == 302
    relay.refresh_from_db()
    assert (relay.username, decrypt(relay.password_encrypted)) == ("you", "secret")
    assert client.post(change, relay_form(domain.pk)).status_code == 302
    relay.refresh_from_db()
    assert relay.password_encrypted == ""
    assert relay.host in text(client.get(page("relay")))


def test_what_a_relay_cannot_be_is_explained(client: Client, make_domain: MakeDomain) -> None:
    domain = make_domain()
    add = page("relay", "add")
    assert "needs a password" in text(client.post(add, relay_form(domain.pk, username="me")))
    assert client.post(add, relay_form(domain.pk)).status_code == 302
    assert "change that one" in text(client.post(add, relay_form(domain.pk)))
    everybodys = Relay.objects.create(domain=None, host="relay.example")
    try:
        assert "every domain without one" in text(client.post(add, relay_form("")))
    finally:
        everybodys.delete()  # it would take the mail of every later test


def test_a_dkim_key_shows_the_record_to_publish(client: Client, make_domain: MakeDomain) -> None:
    domain = make_domain()
    domains = reverse("admin:accounts_domain_changelist")
    client.post(domains, {"action": "make_key", "_selected_action": [domain.pk]})
    key = DkimKey.objects.get(domain=domain, algorithm="rsa-sha256")
    other = DkimKey.objects.get(domain=domain, algorithm="ed25519-sha256")
    for where in (
        page("dkimkey", "change", key.pk),
        reverse("admin:accounts_domain_change", args=(domain.pk,)),
    ):
        shown = text(client.get(where))
        assert f"{key.selector}._domainkey.{domain}. IN TXT" in shown
        assert "v=DKIM1; k=rsa; p=" in shown
        assert "not looked up yet" in shown
        assert key.private_key_encrypted not in shown
    assert f"v=DKIM1; k=ed25519; p={other.public_key}" in text(
        client.get(page("dkimkey", "change", other.pk))
    )
    text(client.get(page("dkimkey")))
    looked_up = {"action": "look_up", "_selected_action": [key.pk]}
    with DnsServer() as dns, override_settings(DNS_NAMESERVERS=[dns.address]):
        resolver.cache_clear()
        dns.add_text(
            f"{key.selector}._domainkey.{domain.name}", record_value(key.algorithm, key.public_key)
        )
        told = text(client.post(page("dkimkey"), looked_up, follow=True))
    resolver.cache_clear()
    assert "1 of 1 records are in DNS" in told
    assert client.get(page("dkimkey", "add")).status_code == 403
    assert client.post(page("dkimkey", "change", key.pk), {}).status_code == 302
    key.refresh_from_db()
    assert not key.is_active


def test_an_allowed_client_is_an_address_or_a_network(client: Client, orm: None) -> None:
    add = page("allowedclient", "add")
    assert "does not appear to be" in text(client.post(add, {"network": "nonsense"}))
    network = f"2001:db8:{unique('')[:4]}::/48"
    assert client.post(add, {"network": network, "note": "newsletter"}).status_code == 302
    assert "newsletter" in text(client.get(page("allowedclient")))
