"""The admin's page: each filter is switched on there, and the page says whether it answers."""

import html

from django.test import Client
from django.urls import reverse

from accounts.secrets import decrypt
from tests.factories import MakeUser
from tests.transport.filters.conftest import SetUp
from tests.transport.filters.daemons import free_port
from transport.models import ExternalFilter


def save(make_user: MakeUser, name: str, **values: str) -> str:
    """What the page says after "save"."""
    client = Client()
    client.force_login(make_user(is_admin=True))
    page = reverse("admin:transport_externalfilter_change", args=[name])
    shown = client.get(page)
    assert shown.status_code == 200
    answer = client.post(page, values, follow=True)
    assert answer.redirect_chain, html.unescape(answer.content.decode())
    return html.unescape(answer.content.decode())


def test_clamav_is_switched_on(make_user: MakeUser, clamd: str, set_up: SetUp, orm: None) -> None:
    assert "ClamAV answers." in save(make_user, "clamav", is_on="on", address=clamd)
    row = ExternalFilter.objects.get(name="clamav")
    assert row.is_on
    assert row.answered_at is not None


def test_the_page_says_why_there_is_no_answer(
    make_user: MakeUser, set_up: SetUp, orm: None
) -> None:
    address = f"127.0.0.1:{free_port()}"
    text = save(
        make_user, "rspamd", is_on="on", address=address, teach_address="", password="of it"
    )
    assert "rspamd does not answer: ConnectionRefusedError" in text
    row = ExternalFilter.objects.get(name="rspamd")
    assert decrypt(row.password_encrypted) == "of it"
    assert "of it" not in text


def test_rspamd_answers_the_page(
    make_user: MakeUser, rspamd: tuple[str, str], set_up: SetUp, orm: None
) -> None:
    worker, controller = rspamd
    text = save(make_user, "rspamd", is_on="on", address=worker, teach_address=controller)
    assert "rspamd answers." in text


def test_a_filter_is_switched_off(make_user: MakeUser, set_up: SetUp, orm: None) -> None:
    set_up("spamassassin", is_on=True)
    save(make_user, "spamassassin", address="[::1]:783")
    row = ExternalFilter.objects.get(name="spamassassin")
    assert (row.is_on, row.address) == (False, "[::1]:783")


def test_no_address_is_refused(make_user: MakeUser, set_up: SetUp, orm: None) -> None:
    client = Client()
    client.force_login(make_user(is_admin=True))
    page = reverse("admin:transport_externalfilter_change", args=["rspamd"])
    for address in ("localhost", "::1:783", "host:99999", "host:"):
        answer = client.post(page, {"address": address, "teach_address": ""})
        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode() or "write" in answer.content.decode()
        assert ExternalFilter.objects.get(name="rspamd").address != address


def test_all_of_them_are_listed(make_user: MakeUser, orm: None) -> None:
    client = Client()
    client.force_login(make_user(is_admin=True))
    text = client.get(reverse("admin:transport_externalfilter_changelist")).content.decode()
    for title in ("SpamAssassin", "rspamd", "ClamAV"):
        assert title in text
