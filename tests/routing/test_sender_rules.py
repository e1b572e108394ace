"""Trusted sealers and overrides: the admin's pages, what they keep, and how soon they count."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from routing import sender_rules as module
from routing.dmarc_treatment import SenderRules
from routing.models import DmarcOverride, TrustedSealer
from routing.sender_rules import read_sender_rules, sender_rules
from tests.factories import MakeUser, unique

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def client(make_user: MakeUser) -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(make_user(is_admin=True))
    return client


@pytest.fixture
def domain(orm: None) -> Iterator[str]:
    """A stranger's; its rules are gone after the test."""
    name = f"{unique('d')}.example"
    yield name
    for model in (TrustedSealer, DmarcOverride):
        model.objects.filter(domain=name).delete()


def add(client: Client, model: str, **fields: str) -> Any:
    return client.post(reverse(f"admin:routing_{model}_add"), fields, follow=True)


def test_rules_are_made_in_the_admin(client: Client, database: Database, domain: str) -> None:
    add(client, "trustedsealer", domain=f" {domain.upper()}. ", reason="a list")
    add(client, "dmarcoverride", domain=domain, policy="quarantine")
    rules = read_sender_rules(database)
    assert domain in rules.sealers
    assert rules.overrides[domain] == "quarantine"
    for model in ("trustedsealer", "dmarcoverride"):
        page = client.get(reverse(f"admin:routing_{model}_changelist"), {"q": domain})
        assert domain in page.content.decode()


@pytest.mark.parametrize("text", ["", "a b", "x@example.org", "-"])
def test_what_is_no_domain_is_refused(client: Client, domain: str, text: str) -> None:
    before = TrustedSealer.objects.count()
    assert "errorlist" in add(client, "trustedsealer", domain=text).content.decode()
    assert TrustedSealer.objects.count() == before


def test_a_domain_stands_once(client: Client, domain: str) -> None:
    for text in (domain, domain.upper()):
        add(client, "trustedsealer", domain=text)
    assert TrustedSealer.objects.filter(domain=domain).count() == 1


def test_no_override_makes_it_harder(client: Client, database: Database, domain: str) -> None:
    add(client, "dmarcoverride", domain=domain, policy="reject")
    assert domain not in read_sender_rules(database).overrides
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute(
            "INSERT INTO routing_dmarcoverride (domain, reason, policy) VALUES (%s, '', 'reject')",
            (domain,),
        )


def test_they_are_remembered_for_seconds(
    database: Database, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_remembered", (float("-inf"), SenderRules()))
    assert domain not in sender_rules(database).sealers
    TrustedSealer.objects.create(domain=domain)
    assert domain not in sender_rules(database).sealers
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", -1.0)
    assert domain in sender_rules(database).sealers
