"""The admin's pages of users."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group as UnusedGroup
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts import people, removal
from accounts.admin.aliases import AliasInline
from accounts.admin.groups import MembershipInline
from accounts.admin.known_networks import KnownNetworkInline
from accounts.admin.pages import DirectoryAdmin, human_size
from accounts.admin.secrets import CredentialInline, OwnerDeletion, new_secret_page
from accounts.admin.sending import LIMITS_FIELDSET, SenderPage, with_usage
from accounts.admin.sharing import SharingPage
from accounts.admin.user_forms import ChangedUserForm, NewUserForm
from accounts.models import Mailbox, User

admin.site.unregister(UnusedGroup)  # of Django's permissions: an administrator has them all


class AppPasswordForm(forms.Form):
    """What the password is for."""

    label = forms.CharField(
        label="Where will it be used?",
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "phone"}),
    )


class UserCredentialInline(CredentialInline):
    verbose_name = "app password"
    verbose_name_plural = "app passwords: one a program; delete one to shut its program out"


@admin.register(User)
class UserAdmin(OwnerDeletion, SenderPage, SharingPage, DirectoryAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """People: their addresses, groups, quota and passwords."""

    form = ChangedUserForm
    add_form = NewUserForm
    add_form_template = None
    change_password_form = AdminPasswordChangeForm
    delete = removal.delete_user
    list_display = ("user_address", "full_name", "is_active", "is_staff", "usage", "last_login")
    list_filter = ("is_active", "is_staff", "domain")
    list_select_related = ("domain", "mailbox")
    search_fields = ("username", "domain__name", "full_name", "addresses__local_part")
    ordering = ("username", "domain__name")
    filter_horizontal = ()
    readonly_fields = ("usage", "sent_lately", "last_login", "created_at")
    inlines = (AliasInline, MembershipInline, UserCredentialInline, KnownNetworkInline)
    actions = ("disable", "enable")
    actions_detail = ("new_app_password", "begin_anew")
    fieldsets = (
        (None, {"fields": (("username", "domain"), "full_name", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff")}),
        ("Mailbox", {"fields": ("quota", "usage")}),
        with_usage(LIMITS_FIELDSET),
        ("Spam", {"fields": (("spam_threshold", "refuse_threshold"), "filter_spam_too")}),
        ("Dates", {"fields": (("created_at", "last_login"),)}),
    )
    add_fieldsets = (
        (None, {"fields": (("username", "domain"), "full_name", ("password1", "password2"))}),
        ("Rights", {"fields": ("is_staff",)}),
        ("Mailbox", {"fields": ("quota",)}),
    )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> tuple[Any, ...]:
        return self.inlines if obj else (AliasInline, MembershipInline)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody removes the branch that they sit on."""
        return obj is None or obj != request.user

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        own = ("is_active", "is_staff") if obj is not None and obj == request.user else ()
        return (*self.readonly_fields, *own)

    def save_model(
        self, request: HttpRequest, obj: User, form: "forms.ModelForm[User]", change: bool
    ) -> None:
        quota = form.cleaned_data["quota"]
        if not change:
            people.save_new_user(obj, quota_bytes=quota)
            return
        obj.save()
        Mailbox.objects.filter(user=obj).update(quota_bytes=quota)

    @display(description="address", ordering="username")
    def user_address(self, user: User) -> str:
        return user.address

    @display(description="storage", ordering="mailbox__used_bytes")
    def usage(self, user: User) -> str:
        mailbox: Mailbox | None = getattr(user, "mailbox", None)
        if mailbox is None:
            return "-"
        used = human_size(mailbox.used_bytes)
        if mailbox.quota_bytes is None:
            return f"{used}, no limit"
        return f"{used} of {human_size(mailbox.quota_bytes)}"

    @admin.action(description="Disable: refuse mail and every login")
    def disable(self, request: HttpRequest, queryset: "QuerySet[User]") -> None:
        count = queryset.exclude(pk=request.user.pk or 0).update(is_active=False)
        self.message_user(request, f"{count} disabled.")

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, queryset: "QuerySet[User]") -> None:
        self.message_user(request, f"{queryset.update(is_active=True)} enabled.")

    @action(description="New app password", url_path="new-app-password", icon="key")
    def new_app_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return new_secret_page(
            self,
            request,
            object_id,
            form_class=AppPasswordForm,
            title="New app password",
            explanation="A password for one program or device. It is generated, and shown once.",
            button="Make it",
            make=lambda user, form: (
                people.create_app_password(user, form.cleaned_data["label"]).secret
            ),
        )

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        if not id.isdigit():
            return redirect(reverse("admin:accounts_user_changelist"))
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response
