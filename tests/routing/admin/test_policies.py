"""The admin's pages of who may come in: policies, block and allow lists, DNS block lists."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from routing.models import DnsblZone, ListedSender, PolicySetting
from tests.factories import MakeUser, unique

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def client(make_user: MakeUser) -> Iterator[Client]:
    """An administrator's browser; what it changes is gone after the test."""
    client = Client()
    client.force_login(make_user(is_admin=True))
    yield client
    PolicySetting.objects.all().delete()
    ListedSender.objects.all().delete()
    DnsblZone.objects.exclude(zone="zen.spamhaus.org").delete()


def page(client: Client, name: str) -> str:
    response = client.get(reverse(f"admin:{name}"))
    assert response.status_code == 200
    return response.content.decode()


def add(client: Client, model: str, **values: Any) -> str:
    """Fill in the form; the page that follows."""
    response = client.post(reverse(f"admin:routing_{model}_add"), values, follow=True)
    return response.content.decode()


def test_every_policy_is_there_and_is_switched_in_the_list(client: Client) -> None:
    shown = page(client, "routing_policysetting_changelist")
    rows = list(PolicySetting.objects.order_by("name"))
    names = [row.name for row in rows]
    assert {"blocklist", "dnsbl", "greylisting", "helo", "reverse_dns"} <= set(names)
    assert "Refuses clients and senders that stand on the block list" in shown
    form: dict[str, Any] = {
        "form-TOTAL_FORMS": len(rows),
        "form-INITIAL_FORMS": len(rows),
        "_save": "Save",
    }
    for place, row in enumerate(rows):
        form[f"form-{place}-name"] = row.name
        form[f"form-{place}-mode"] = "note" if row.name == "helo" else row.mode
        form[f"form-{place}-number"] = (
            7 if row.name in ("client_rate", "helo") else row.number or ""
        )
    response = client.post(reverse("admin:routing_policysetting_changelist"), form)
    assert response.status_code == 302, response.content
    assert PolicySetting.objects.get(name="helo").mode == "note"
    assert PolicySetting.objects.get(name="client_rate").number == 7
    assert PolicySetting.objects.get(name="helo").number is None  # it has none


def test_a_listed_sender_is_kept_in_one_form(client: Client) -> None:
    domain = f"{unique('d')}.example"
    add(client, "listedsender", kind="block", value=f" @{domain.upper()}", reason="spam")
    assert ListedSender.objects.get().value == domain
    again = add(client, "listedsender", kind="block", value=domain, reason="")
    assert "already exists" in again
    wrong = add(client, "listedsender", kind="allow", value="no such thing", reason="")
    assert "neither an IP address, a network" in wrong
    assert ListedSender.objects.count() == 1


def test_a_zone_that_does_not_answer_this_server_is_warned_of(
    client: Client, database: Database
) -> None:
    assert "zen.spamhaus.org" in page(client, "routing_dnsblzone_changelist")
    add(client, "dnsblzone", zone="bl.test", points=3, codes="127.0.0.2 5 bad", is_active="on")
    assert "not answered" not in page(client, "routing_dnsblzone_changelist")
    database.execute(
        "UPDATE routing_dnsblzone SET problem = 'it refuses public resolvers', problem_at = now() WHERE zone = 'bl.test'"
    )
    shown = page(client, "routing_dnsblzone_changelist")
    assert "bl.test: it refuses public resolvers" in shown
    assert "not answered" in shown
    database.execute("UPDATE routing_dnsblzone SET last_hit_at = now() WHERE zone = 'bl.test'")
    assert "not answered" not in page(client, "routing_dnsblzone_changelist")


def test_a_wrong_code_is_named(client: Client) -> None:
    shown = add(client, "dnsblzone", zone="bl.test", points=3, codes="127.0.0.2", is_active="on")
    assert "not of the form" in shown
    assert not DnsblZone.objects.filter(zone="bl.test").exists()
