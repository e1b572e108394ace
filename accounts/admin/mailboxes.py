"""The admin's pages of mailboxes: what is used, and what was left by owners who are gone."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts import removal
from accounts.admin.pages import BYTES_PER_MEGABYTE, human_size
from accounts.admin.sharing import SharingPage
from accounts.admin.user_forms import QuotaField
from accounts.models import Mailbox


class OwnedFilter(admin.SimpleListFilter):
    """With an owner, or left behind."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("user", "a user"), ("app", "an app"), ("none", "nobody: kept mail")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "user":
                return queryset.filter(user__isnull=False)
            case "app":
                return queryset.filter(app__isnull=False)
            case "none":
                return queryset.filter(user__isnull=True, app__isnull=True)
        return queryset


class MailboxForm(forms.ModelForm):  # type: ignore[type-arg]
    quota = QuotaField()
    quota_messages = forms.IntegerField(
        label="Quota in messages",
        help_text="Empty: no limit.",
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    class Meta:
        model = Mailbox
        fields = ("quota_messages",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.quota_bytes is not None:
            self.initial["quota"] = -(-self.instance.quota_bytes // BYTES_PER_MEGABYTE)


@admin.register(Mailbox)
class MailboxAdmin(SharingPage, ModelAdmin):
    """Made and removed with its owner; one that nobody owns any more can be deleted here."""

    form = MailboxForm
    list_display = ("mailbox", "owner", "messages", "used", "quota_shown")
    list_filter = (OwnedFilter,)
    search_fields = ("name", "user__username", "user__domain__name", "app__name")
    readonly_fields = ("mailbox", "owner", "messages", "used", "created_at")
    fields = ("mailbox", "owner", "messages", "used", "quota", "quota_messages", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mailbox]:
        queryset: QuerySet[Mailbox] = super().get_queryset(request)
        return queryset.select_related("user__domain", "app__domain")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Mailbox | None = None) -> bool:
        return obj is not None and obj.user is None and obj.app is None

    def delete_model(self, request: HttpRequest, obj: Mailbox) -> None:
        removal.delete_mailbox(obj)

    def save_model(
        self, request: HttpRequest, obj: Mailbox, form: "forms.ModelForm[Mailbox]", change: bool
    ) -> None:
        Mailbox.objects.filter(pk=obj.pk).update(
            quota_bytes=form.cleaned_data["quota"],
            quota_messages=form.cleaned_data["quota_messages"],
        )

    @display(description="mailbox", ordering="name")
    def mailbox(self, mailbox: Mailbox) -> str:
        return str(mailbox.user or mailbox.app or mailbox.name)

    @display(description="owner", label={"user": "success", "app": "info", "nobody": "warning"})
    def owner(self, mailbox: Mailbox) -> str:
        return "user" if mailbox.user else "app" if mailbox.app else "nobody"

    @display(description="messages", ordering="used_messages")
    def messages(self, mailbox: Mailbox) -> int:
        return int(mailbox.used_messages)

    @display(description="used", ordering="used_bytes")
    def used(self, mailbox: Mailbox) -> str:
        return human_size(mailbox.used_bytes)

    @display(description="quota", ordering="quota_bytes")
    def quota_shown(self, mailbox: Mailbox) -> str:
        return human_size(mailbox.quota_bytes)
