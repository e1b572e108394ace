"""The admin's pages of users' Sieve scripts, and what the pages of users and mailboxes show of them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import F, Func, IntegerField, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from accounts.admin.mailboxes import MailboxAdmin
from accounts.admin.pages import DirectoryAdmin, human_size
from accounts.admin.users import UserAdmin
from accounts.mailstore.values import MailboxId
from accounts.models import Mailbox, User
from accounts.namespace import Conflict
from accounts.people import raw_connection
from routing.admin.dry_run import DryRunPage
from routing.admin.script_forms import ScriptForm
from routing.models import Script
from routing.scripts import storage
from routing.scripts.storage import ScriptRefused


class UserScriptForm(ScriptForm):
    """A script of a mailbox."""

    active = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Mail goes through this script, and through no other of the mailbox.",
    )

    class Meta:
        model = Script
        fields = ("mailbox", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("active", self.instance.is_active)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        mailbox = cleaned.get("mailbox") or getattr(self.instance, "mailbox", None)
        if mailbox is not None and {"name", "text"} <= cleaned.keys():
            replaced = self.instance.name if self.instance.pk else cleaned["name"]
            try:
                storage.check_space(
                    raw_connection(), MailboxId(mailbox.pk), replaced, len(self.octets)
                )
            except ScriptRefused as refused:
                self.add_error("text", str(refused))
            same = Script.objects.filter(mailbox=mailbox, name=cleaned["name"])
            if self.instance.pk and same.exclude(pk=self.instance.pk).exists():
                self.add_error("name", "The mailbox has a script by that name already.")
        return cleaned


@admin.register(Script)
class ScriptAdmin(DryRunPage, DirectoryAdmin):
    """What users' own programs put there over ManageSieve; an administrator may change it."""

    form = UserScriptForm
    list_display = ("name", "owner", "is_active", "size", "changed_at")
    list_filter = ("is_active",)
    search_fields = ("name", "mailbox__name", "mailbox__user__username")
    autocomplete_fields = ("mailbox",)
    readonly_fields = ("changed_at",)
    fields = ("mailbox", "name", "active", "text", "changed_at")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Script]":
        queryset: QuerySet[Script] = super().get_queryset(request)
        octets = Func(F("content"), function="octet_length", output_field=IntegerField())
        return (
            queryset.select_related("mailbox__user__domain", "mailbox__app__domain")
            .defer("content")
            .annotate(octets=octets)
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Script | None = None
    ) -> tuple[str, ...]:
        return self.readonly_fields if obj is None else ("mailbox", *self.readonly_fields)

    def save_model(
        self, request: HttpRequest, obj: Script, form: UserScriptForm, change: bool
    ) -> None:
        """As a ManageSieve client would."""
        mailbox, name = MailboxId(obj.mailbox_id), form.cleaned_data["name"]
        stored = Script.objects.defer("content").filter(pk=obj.pk).first() if change else None
        try:
            _save(mailbox, name, form, stored)
        except ScriptRefused as refused:  # somebody else was quicker than the form
            raise Conflict(str(refused) or "Look at the scripts again.") from None
        obj.pk = Script.objects.values_list("pk", flat=True).get(mailbox=mailbox, name=name)
        for warning in form.warnings:
            messages.warning(request, str(warning))

    @display(description="mailbox", ordering="mailbox__name")
    def owner(self, script: Script) -> str:
        mailbox = script.mailbox
        return str(mailbox.user or mailbox.app or mailbox.name)

    @display(description="size", ordering="octets")
    def size(self, script: Any) -> str:
        return human_size(script.octets)


def _save(mailbox: MailboxId, name: str, form: UserScriptForm, stored: Script | None) -> None:
    db = raw_connection()
    if stored is not None and stored.name != name:
        storage.rename_script(db, mailbox, stored.name, name)
    storage.put_script(db, mailbox, name, form.octets)
    if form.cleaned_data["active"]:
        storage.activate_script(db, mailbox, name)
    elif stored is not None and stored.is_active:
        storage.activate_script(db, mailbox, "")


@admin.display(description="Sieve scripts")
def sieve_scripts(owner: User | Mailbox) -> SafeString:
    """Links to the scripts of a user or a mailbox, and to a new one."""
    mailbox = owner if isinstance(owner, Mailbox) else getattr(owner, "mailbox", None)
    if mailbox is None:
        return format_html("{}", "-")
    rows = Script.objects.filter(mailbox=mailbox).values_list("pk", "name", "is_active")
    links = [
        (reverse("admin:routing_script_change", args=[pk]), name, " (active)" if active else "")
        for pk, name, active in rows
    ]
    new = f"{reverse('admin:routing_script_add')}?mailbox={mailbox.pk}"
    links.append((new, "New script", ""))
    return format_html_join(", ", '<a class="text-primary-600" href="{}">{}</a>{}', links)


def _add_to_pages(mailboxes: Any, users: Any) -> None:
    """Onto those of `accounts`, which know nothing of scripts."""
    for page in (mailboxes, users):
        page.readonly_fields = (*page.readonly_fields, sieve_scripts)
    mailboxes.fields = (*mailboxes.fields, sieve_scripts)
    fieldsets = dict(users.fieldsets)
    fieldsets["Mailbox"]["fields"] += (sieve_scripts,)


_add_to_pages(MailboxAdmin, UserAdmin)
