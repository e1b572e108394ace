"""The admin's pages: each opens, conflicts are explained in the form, secrets are shown once."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import membership, people
from accounts.authentication import verify_password
from accounts.entries import Login, LoginRefused
from accounts.journal.trace import TraceEvent, write_trace
from accounts.models import Alias, App, Domain, Group, LoginFailure, Mailbox, User
from accounts.throttle import FREE_PER_ACCOUNT, FREE_PER_PAIR
from tests.factories import (
    PASSWORD,
    MakeAlias,
    MakeApp,
    MakeDomain,
    MakeGroup,
    MakeUser,
    unique,
)

Database = psycopg.Connection[tuple[Any, ...]]

PAGES = [
    *("domain", "user", "alias", "group", "app", "mailbox", "loginfailure", "traceentry"),
]
ADDABLE = ["domain", "user", "alias", "group", "app"]


@pytest.fixture
def administrator(make_user: MakeUser) -> User:
    return make_user(is_admin=True)


@pytest.fixture
def client(administrator: User) -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(administrator)
    return client


def page(model: str, kind: str = "changelist", *arguments: Any) -> str:
    return reverse(f"admin:accounts_{model}_{kind}", args=arguments)


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def form_of(response: Any) -> dict[str, Any]:
    """What a browser would send back, unchanged."""
    data: dict[str, Any] = {}
    forms = [response.context["adminform"].form]
    for formset in (each.formset for each in response.context["inline_admin_formsets"]):
        forms += [formset.management_form, *formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            if value is True:
                data[field.html_name] = "on"
            elif value is not None and value is not False:
                data[field.html_name] = value
    return data


def test_without_a_login_every_page_asks_for_one(orm: None) -> None:
    response = Client().get(page("user"))
    assert response.status_code == 302
    assert "/login/" in response["Location"]


def test_a_user_who_is_no_administrator_does_not_get_in(make_user: MakeUser) -> None:
    user = make_user()
    client = Client()
    client.post(reverse("admin:login"), {"username": user.address, "password": PASSWORD})
    assert client.get(page("user")).status_code == 302
    client.force_login(user)
    assert client.get(page("user")).status_code == 302


def test_an_administrator_logs_in_and_sees_the_overview(administrator: User) -> None:
    client = Client()
    response = client.post(
        reverse("admin:login") + "?next=/admin/",
        {"username": administrator.address, "password": PASSWORD},
    )
    assert response.status_code == 302
    overview = text(client.get(reverse("admin:index")))
    for link in (page("user"), page("domain"), page("traceentry")):
        assert link in overview
    assert "Setting up a client" in overview


def test_a_disabled_administrator_is_out_at_once(client: Client, administrator: User) -> None:
    assert client.get(page("user")).status_code == 200
    User.objects.filter(pk=administrator.pk).update(is_active=False)
    assert client.get(page("user")).status_code == 302


def test_the_login_is_throttled_and_says_so(administrator: User) -> None:
    tail = unique("")
    client = Client(REMOTE_ADDR=f"2001:db8:{tail[:4]}:{tail[4:8]}::1")
    for _ in range(FREE_PER_PAIR):
        client.post(
            reverse("admin:login"), {"username": administrator.address, "password": "wrong"}
        )
    right = {"username": administrator.address, "password": PASSWORD}
    assert "Too many failed logins" in text(client.post(reverse("admin:login"), right))
    LoginFailure.objects.filter(account=administrator.address).delete()
    assert client.post(reverse("admin:login"), right).status_code == 302


@pytest.mark.parametrize("model", PAGES)
def test_each_list_opens_is_searched_and_sorted(
    client: Client, make_user: MakeUser, make_app: MakeApp, model: str
) -> None:
    people.create_alias(f"{unique('x')}@{make_app().app.domain}", make_user())
    for query in ("", "?q=ann", "?q=.example", "?q=a+b%40c", "?o=1", "?o=-2.1"):
        text(client.get(page(model) + query))


def test_each_registered_model_has_a_list(client: Client) -> None:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        text(client.get(reverse(name)))
    for model in apps.get_app_config("accounts").get_models():
        listed = model in admin.site._registry or model.__name__ in (
            "Address",
            "Credential",
            "GroupMember",
            "KnownNetwork",
            "SrsAddress",
        )
        assert listed, model


@pytest.mark.parametrize("model", ADDABLE)
def test_each_add_page_opens_and_explains_an_empty_form(client: Client, model: str) -> None:
    response = client.get(page(model, "add"))
    text(response)
    assert "required" in text(client.post(page(model, "add"), form_of(response)))


def test_each_change_page_opens_and_saves_unchanged(
    client: Client,
    make_user: MakeUser,
    make_alias: MakeAlias,
    make_group: MakeGroup,
    make_app: MakeApp,
) -> None:
    user = make_user(quota_bytes=5 * 1024 * 1024)
    alias, app = make_alias(user), make_app().app
    group = make_group(members=[user.address, make_group().address, "guest@elsewhere.example"])
    people.create_app_password(user, "phone")
    people.set_catch_all(user.domain, [user])
    for model, pk in (
        ("domain", user.domain.pk),
        ("user", user.pk),
        ("alias", alias.pk),
        ("group", group.pk),
        ("app", app.pk),
        ("mailbox", user.mailbox.pk),
    ):
        where = page(model, "change", pk)
        response = client.get(where)
        text(response)
        saved = client.post(where, form_of(response))
        assert saved.status_code == 302, (model, saved.context["errors"])
        text(client.get(page(model, "history", pk)))
    user.refresh_from_db()
    assert user.is_active
    assert user.check_password(PASSWORD)
    assert user.mailbox.quota_bytes == 5 * 1024 * 1024
    assert group.members.count() == 3
    assert list(user.domain.catch_all.all()) == [user.mailbox]


def test_a_mailbox_gets_limits_of_size_and_of_messages(client: Client, make_user: MakeUser) -> None:
    mailbox = make_user().mailbox
    where = page("mailbox", "change", mailbox.pk)
    form = form_of(client.get(where))
    assert client.post(where, form | {"quota": 3, "quota_messages": 0}).status_code == 200
    assert client.post(where, form | {"quota": 3, "quota_messages": 500}).status_code == 302
    mailbox.refresh_from_db()
    assert (mailbox.quota_bytes, mailbox.quota_messages) == (3 * 1024 * 1024, 500)


def test_a_domain_is_made_and_a_second_one_is_explained(client: Client) -> None:
    name = f"{unique('d')}.example"
    data = {
        **form_of(client.get(page("domain", "add"))),
        "name": name.upper(),
        "mail_enabled": "on",
    }
    assert client.post(page("domain", "add"), data).status_code == 302
    assert Domain.objects.get(name=name).mail_enabled
    assert "already exists" in text(client.post(page("domain", "add"), data))
    data["name"] = "exa mple"
    assert "no domain name" in text(client.post(page("domain", "add"), data))


def test_a_new_default_domain_takes_over(client: Client, make_domain: MakeDomain) -> None:
    first, second = make_domain(is_default=True), make_domain()
    where = page("domain", "change", second.pk)
    data = {**form_of(client.get(where)), "is_default": "on"}
    assert client.post(where, data).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_default, second.is_default) == (False, True)


def test_a_domain_in_use_is_not_deleted(client: Client, make_user: MakeUser) -> None:
    user = make_user()
    where = page("domain", "delete", user.domain.pk)
    assert "protected" in text(client.get(where))
    text(client.post(where, {"post": "yes"}))
    assert Domain.objects.filter(pk=user.domain.pk).exists()


def new_user_form(client: Client, domain: Domain, name: str) -> dict[str, Any]:
    return {
        **form_of(client.get(page("user", "add"))),
        "username": name,
        "domain": domain.pk,
        "password1": "a long password",
        "password2": "a long password",
        "quota": 7,
    }


def test_a_user_is_made_with_alias_quota_and_folders(
    client: Client, database: Database, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    data = {
        **new_user_form(client, domain, "Ann"),
        "addresses-TOTAL_FORMS": 1,
        "addresses-0-local_part": "Sales",
        "addresses-0-domain": domain.pk,
    }
    response = client.post(page("user", "add"), data)
    assert response.status_code == 302, response.context["errors"]
    user = User.objects.get(domain=domain, username="ann")
    assert user.mailbox.quota_bytes == 7 * 1024 * 1024
    assert people.find_user(f"sales@{domain}") == user
    folders = database.execute(
        "SELECT count(*) FROM mail_folder WHERE owner_id = %s", (user.mailbox.pk,)
    ).fetchone()
    assert folders == (6,)
    login = verify_password(database, f"ann@{domain}", "a long password", "127.0.0.1")
    assert isinstance(login, Login)


def test_two_different_passwords_make_no_user(client: Client, make_domain: MakeDomain) -> None:
    domain = make_domain()
    data = {**new_user_form(client, domain, "ann"), "password2": "another"}
    assert "differ" in text(client.post(page("user", "add"), data))
    assert not User.objects.filter(domain=domain).exists()


Holder = Callable[[Domain], str]
HOLDERS: dict[str, Holder] = {
    "the address of the user": lambda domain: people.create_user(f"taken@{domain}", None).address,
    "the address of the group": lambda domain: membership.create_group(f"taken@{domain}").address,
    "the address of the app": lambda domain: (
        people.create_app("other", domain, local_part="taken").app.address
    ),
    "an alias of the user": lambda domain: str(
        people.create_alias(f"taken@{domain}", people.create_user(f"ann@{domain}", None))
    ),
}


@pytest.mark.parametrize("explanation", HOLDERS)
@pytest.mark.parametrize("model", ["user", "group", "app", "alias"])
def test_a_taken_address_is_explained_in_the_form(
    client: Client, make_domain: MakeDomain, make_user: MakeUser, model: str, explanation: str
) -> None:
    domain = make_domain()
    HOLDERS[explanation](domain)
    data = {
        "user": lambda: new_user_form(client, domain, "taken"),
        "group": lambda: {"name": "Taken", "domain": domain.pk},
        "app": lambda: {"name": "app", "local_part": "taken", "domain": domain.pk},
        "alias": lambda: {"local_part": "taken", "domain": domain.pk, "user": make_user().pk},
    }[model]()
    where = page(model, "add")
    response = client.post(where, {**form_of(client.get(where)), **data})
    assert f"taken@{domain} is taken: it is {explanation}" in text(response)


def test_an_alias_that_conflicts_is_explained_inline(
    client: Client, make_user: MakeUser, make_group: MakeGroup
) -> None:
    user = make_user()
    make_group("team", user.domain)
    where = page("user", "change", user.pk)
    data = {
        **form_of(client.get(where)),
        "addresses-TOTAL_FORMS": 1,
        "addresses-0-local_part": "team",
        "addresses-0-domain": user.domain.pk,
    }
    assert "the address of the group" in text(client.post(where, data))
    data |= {
        "addresses-TOTAL_FORMS": 2,
        "addresses-0-local_part": "twice",
        "addresses-1-local_part": "Twice",
        "addresses-1-domain": user.domain.pk,
    }
    assert "stands here twice" in text(client.post(where, data))
    assert not Alias.objects.filter(user=user).exists()


def test_a_race_past_the_form_is_a_message_and_not_an_error(
    client: Client, make_domain: MakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = make_domain()
    people.create_user(f"taken@{domain}", None)
    monkeypatch.setattr("accounts.admin.pages.taken", lambda *_, **__: "")  # as if it was free then
    where = page("group", "add")
    data = {**form_of(client.get(where)), "name": "taken", "domain": domain.pk}
    answer = text(client.post(where, data, follow=True))
    assert "Nothing was saved" in answer
    assert "is taken" in answer


def test_renaming_a_user_onto_a_taken_address_is_explained(
    client: Client, make_user: MakeUser, make_group: MakeGroup
) -> None:
    user = make_user()
    make_group("team", user.domain)
    where = page("user", "change", user.pk)
    answer = client.post(where, {**form_of(client.get(where)), "username": "team"})
    assert "the address of the group" in text(answer)


def test_group_loops_and_strangers_are_explained(client: Client, make_group: MakeGroup) -> None:
    outer, inner = make_group(), make_group()
    membership.add_member(outer, inner.address)
    where = page("group", "change", inner.pk)

    def put(address: str) -> str:
        data = {
            **form_of(client.get(where)),
            "members-TOTAL_FORMS": 1,
            "members-0-address": address,
        }
        return text(client.post(where, data))

    assert "reach itself" in put(outer.address)
    assert "nobody has it" in put(f"nobody@{inner.domain}")
    assert "has no @" in put("nonsense")
    assert inner.members.count() == 0


def test_members_are_typed_as_addresses(
    client: Client, make_user: MakeUser, make_alias: MakeAlias, make_group: MakeGroup
) -> None:
    user, inner = make_user(), make_group()
    where = page("group", "add")
    addresses = [str(make_alias(user)), inner.address, "guest@elsewhere.example"]
    data = {
        **form_of(client.get(where)),
        "name": "team",
        "domain": user.domain.pk,
        "members-TOTAL_FORMS": 3,
        **{f"members-{index}-address": address for index, address in enumerate(addresses)},
    }
    response = client.post(where, data)
    assert response.status_code == 302, response.context["errors"]
    group = Group.objects.get(domain=user.domain, name="team")
    members = [(m.user, m.member_group, m.outside_address) for m in group.members.order_by("pk")]
    assert members == [(user, None, ""), (None, inner, ""), (None, None, "guest@elsewhere.example")]
    data |= {"name": "twice", "members-1-address": user.address}
    assert "stands here twice" in text(client.post(where, data))


def secret_in(response: Any) -> str:
    found = re.search(r'id="secret">(\w+)<', text(response))
    assert found
    assert "no-store" in response["Cache-Control"]
    return found[1]


def test_an_app_s_credentials_are_shown_once(
    client: Client, database: Database, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    where = page("app", "add")
    data = {**form_of(client.get(where)), "name": "shop", "domain": domain.pk}
    secret = secret_in(client.post(where, data))
    app = App.objects.get(domain=domain)
    assert isinstance(verify_password(database, app.address, secret, "127.0.0.1"), Login)
    regenerate = f"{page('app', 'change', app.pk)}".replace("/change/", "/regenerate/")
    text(client.get(regenerate))
    newer = secret_in(client.post(regenerate))
    assert newer != secret
    assert isinstance(verify_password(database, app.address, secret, "127.0.0.1"), LoginRefused)
    assert isinstance(verify_password(database, app.address, newer, "127.0.0.1"), Login)
    assert newer not in text(client.get(page("app", "change", app.pk)))


def test_an_app_password_is_shown_once_and_can_be_deleted(
    client: Client, database: Database, make_user: MakeUser
) -> None:
    user = make_user()
    change = page("user", "change", user.pk)
    where = change.replace("/change/", "/new-app-password/")
    assert "required" in text(client.post(where, {"label": ""}))
    secret = secret_in(client.post(where, {"label": "phone"}))
    assert isinstance(verify_password(database, user.address, secret, "127.0.0.1"), Login)
    response = client.get(change)
    assert "phone" in text(response)
    data = {**form_of(response), "credentials-0-DELETE": "on"}
    assert client.post(change, data).status_code == 302
    assert isinstance(verify_password(database, user.address, secret, "127.0.0.1"), LoginRefused)


def test_a_new_password_is_set_on_its_own_page(
    client: Client, database: Database, make_user: MakeUser
) -> None:
    user = make_user()
    where = f"/admin/accounts/user/{user.pk}/password/"
    text(client.get(where))
    data = {"password1": "brand new one", "password2": "brand new one", "usable_password": "true"}
    assert client.post(where, data).status_code == 302
    assert isinstance(verify_password(database, user.address, PASSWORD, "127.0.0.1"), LoginRefused)
    assert isinstance(verify_password(database, user.address, "brand new one", "127.0.0.1"), Login)


@pytest.mark.parametrize(("answer", "is_kept"), [("keep", True), ("delete", False)])
def test_deleting_a_user_asks_for_the_mail(
    client: Client, make_user: MakeUser, answer: str, is_kept: bool
) -> None:
    user = make_user()
    people.create_alias(f"more@{user.domain}", user)
    people.set_catch_all(user.domain, [user])
    mailbox = user.mailbox.pk
    where = page("user", "delete", user.pk)
    assert "And the mail" in text(client.get(where))
    text(client.post(where, {"post": "yes"}))
    assert User.objects.filter(pk=user.pk).exists()  # no answer, no deletion
    assert client.post(where, {"post": "yes", "mail": answer}).status_code == 302
    assert not User.objects.filter(pk=user.pk).exists()
    kept = Mailbox.objects.filter(pk=mailbox).first()
    assert (kept is not None) is is_kept
    if kept is not None:
        assert (kept.user, kept.name) == (None, user.address)
        assert client.post(page("mailbox", "delete", mailbox), {"post": "yes"}).status_code == 302
        assert not Mailbox.objects.filter(pk=mailbox).exists()


def test_an_app_is_deleted_with_its_mail(client: Client, make_app: MakeApp) -> None:
    app = make_app().app
    mailbox = app.mailbox.pk
    where = page("app", "delete", app.pk)
    assert client.post(where, {"post": "yes", "mail": "delete"}).status_code == 302
    assert not App.objects.filter(pk=app.pk).exists()
    assert not Mailbox.objects.filter(pk=mailbox).exists()


def test_nobody_deletes_or_disables_themselves(client: Client, administrator: User) -> None:
    assert client.get(page("user", "delete", administrator.pk)).status_code == 403
    client.post(page("user"), {"action": "disable", "_selected_action": [administrator.pk]})
    administrator.refresh_from_db()
    assert administrator.is_active


def test_users_are_disabled_and_enabled_by_the_dozen(client: Client, make_user: MakeUser) -> None:
    user = make_user()
    for action, is_active in (("disable", False), ("enable", True)):
        client.post(page("user"), {"action": action, "_selected_action": [user.pk]})
        user.refresh_from_db()
        assert user.is_active is is_active
    client.post(
        page("user"), {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    )
    assert User.objects.filter(pk=user.pk).exists()


def test_a_mailbox_in_use_is_not_deleted(client: Client, make_user: MakeUser) -> None:
    mailbox = make_user().mailbox
    assert client.post(page("mailbox", "delete", mailbox.pk), {"post": "yes"}).status_code == 403


def test_blocks_are_listed_in_plain_words_and_unblocked(
    client: Client, database: Database, make_user: MakeUser
) -> None:
    user = make_user()
    assert isinstance(verify_password(database, user.address, PASSWORD, "192.0.2.78"), Login)
    for source in ("192.0.2.77", "192.0.2.78"):
        for _ in range(FREE_PER_PAIR):
            verify_password(database, user.address, "wrong", source)
    mine = LoginFailure.objects.filter(account=user.address)
    mine.update(failures=FREE_PER_PAIR + 3)
    one = page("loginfailure") + f"?q={user.address}"
    listing = text(client.get(one))
    for words in ("192.0.2.77", "192.0.2.78 (known)", "blocked until", "8 failed logins"):
        assert words in listing
    assert "anywhere but" not in listing  # 8 are not too many for that
    assert "anywhere but their known networks" in text(client.get(one + "&which=all"))
    mine.filter(source="").update(failures=FREE_PER_ACCOUNT + 3)
    assert "anywhere but their known networks" in text(client.get(one))
    rows = list(mine.values_list("pk", flat=True))
    done = client.post(one, {"action": "unblock", "_selected_action": rows}, follow=True)
    assert "3 unblocked" in text(done)
    assert not mine.exists()
    assert isinstance(verify_password(database, user.address, PASSWORD, "192.0.2.77"), Login)


def test_a_block_that_has_ended_is_not_listed(client: Client, make_user: MakeUser) -> None:
    address = make_user().address
    failure = LoginFailure.objects.create(source="192.0.2.1", account=address, failures=9)
    one = page("loginfailure") + f"?q={address}"
    assert "blocked until" in text(client.get(one))
    past = timezone.now() - timedelta(seconds=17)
    LoginFailure.objects.filter(pk=failure.pk).update(last_at=past)
    assert "192.0.2.1" not in text(client.get(one))
    assert "not blocked" in text(client.get(one + "&which=all"))


def test_known_networks_stand_on_the_user_s_page(
    client: Client, database: Database, make_user: MakeUser
) -> None:
    user = make_user()
    verify_password(database, user.address, PASSWORD, "2001:db8:9:9::1")
    assert "2001:db8:9:9::/64" in text(client.get(page("user", "change", user.pk)))


def test_the_trace_tells_a_message_s_story(client: Client, database: Database) -> None:
    trace_id, recipient = unique("t"), f"{unique('ann')}@example.org"
    write_trace(
        database,
        [
            TraceEvent(trace_id, "receive", "accepted", sender="bob@example.com"),
            TraceEvent(
                trace_id, "deliver", "stored", recipient=recipient, detail={"folder": "Spam"}
            ),
            TraceEvent(unique("other"), "deliver", "refused", "no such user"),
        ],
    )
    for query in (recipient, trace_id):
        assert recipient in text(client.get(page("traceentry") + f"?q={query}"))
    row = database.execute(
        "SELECT id FROM trace_event WHERE trace_id = %s AND step = 'deliver'", (trace_id,)
    ).fetchone()
    assert row
    story = text(client.get(page("traceentry", "change", row[0])))
    for word in ("bob@example.com", recipient, "stored", "folder: Spam"):
        assert word in story
    assert "no such user" not in story
    text(client.get(page("traceentry") + "?step=deliver&result=stored"))
    assert client.get(page("traceentry", "add")).status_code == 403


def test_folders_are_shared_on_the_mailbox_s_page_in_plain_words(
    client: Client, make_user: MakeUser, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    ann, bob = make_user(domain=domain), make_user(domain=domain)
    share = page("mailbox", "share", ann.mailbox.pk)
    wanted = {"folder": "INBOX", "identifier": bob.address, "access": "lrs", "letters": ""}
    assert "is shared with" in text(client.post(share, wanted, follow=True))
    for model, number in (("mailbox", ann.mailbox.pk), ("user", ann.pk)):
        assert bob.address in text(client.get(page(model, "change", number)))
    theirs = text(client.get(page("user", "change", bob.pk)))
    assert f"Shared/{ann.address}/INBOX" in theirs
    assert "Read" in theirs
    client.post(share, wanted | {"access": "other", "letters": "lrx"})
    shown = text(client.get(page("mailbox", "change", ann.mailbox.pk)))
    assert "See it in the list, read, delete or rename it" in shown
    for refused, why in (
        ({"identifier": "nobody@example.test"}, "Nobody here has that address"),
        ({"identifier": ann.address}, "The owner has every right already"),
        ({"access": "other", "letters": "lrQ"}, "The letters are some of"),
        ({"folder": "Nowhere"}, "The folder is gone"),
    ):
        assert why in text(client.post(share, wanted | refused, follow=True))
    removed = text(client.post(share, wanted | {"remove": "1"}, follow=True))
    assert "is not shared with" in removed
    assert "Nothing is shared yet" in removed


def test_only_an_administrator_shares_others_folders(make_user: MakeUser) -> None:
    user = make_user()
    stranger = Client()
    stranger.force_login(make_user())
    share = page("mailbox", "share", user.mailbox.pk)
    wanted = {"folder": "INBOX", "identifier": "anyone", "access": "lrs"}
    assert stranger.post(share, wanted).status_code == 302  # to the login
    assert "Nothing is shared yet" not in str(stranger.get(share).content)


def test_thresholds_of_spam_are_set(client: Client, make_user: MakeUser) -> None:
    user = make_user()
    where = page("domain", "change", user.domain.pk)
    data = {**form_of(client.get(where)), "spam_threshold": 6.5, "refuse_threshold": 6}
    refused = client.post(where, data)
    assert "has to score higher" in str(refused.context["errors"])
    data = {**data, "refuse_threshold": 15, "refuse_dmarc_failures": "on"}
    response = client.post(where, data)
    assert response.status_code == 302, response.context["errors"]
    where = page("user", "change", user.pk)
    data = {**form_of(client.get(where)), "spam_threshold": 3, "filter_spam_too": "on"}
    response = client.post(where, data)
    assert response.status_code == 302, response.context["errors"]
    user = User.objects.select_related("domain").get(pk=user.pk)
    assert (user.spam_threshold, user.refuse_threshold, user.filter_spam_too) == (3.0, None, True)
    domain = user.domain
    assert (domain.spam_threshold, domain.refuse_threshold) == (6.5, 15.0)
    assert domain.refuse_dmarc_failures
