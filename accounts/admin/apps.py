"""The admin's pages of apps."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action, display

from accounts import people, removal
from accounts.admin.known_networks import KnownNetworkInline
from accounts.admin.pages import AddressForm, DirectoryAdmin, show_secret
from accounts.admin.secrets import CredentialInline, OwnerDeletion, new_secret_page
from accounts.admin.sending import LIMITS_FIELDSET, SenderPage, with_usage
from accounts.allowances import LIMITS
from accounts.models import App


class AppForm(AddressForm):
    """One app; the address defaults to its name and `.app`."""

    class Meta:
        model = App
        fields = ("name", "domain", "local_part", "display_name", "is_active", *LIMITS)
        help_texts = {
            "local_part": "The part before the @ that it sends as. Empty: the name and .app.",
            "is_active": "While off, mail to it is refused and its logins fail.",
        }

    def local_part(self, cleaned: Mapping[str, Any]) -> str:
        name = cleaned.get("name") or self.instance.name
        return str(cleaned.get("local_part") or (f"{name}.app" if name else ""))


class AppCredentialInline(CredentialInline):
    fields: tuple[str, ...] = ("created_at", "last_used_at")
    can_delete = False
    verbose_name_plural = "credentials: the username is the address"


@admin.register(App)
class AppAdmin(OwnerDeletion, SenderPage, DirectoryAdmin):
    """Programs that send mail."""

    form = AppForm
    delete = removal.delete_app
    list_display = ("name", "domain", "app_address", "display_name", "is_active")
    list_filter = ("is_active", "domain")
    search_fields = ("name", "local_part", "display_name", "domain__name")
    inlines = (AppCredentialInline, KnownNetworkInline)
    actions_detail = ("regenerate", "begin_anew")

    def get_queryset(self, request: HttpRequest) -> QuerySet[App]:
        queryset: QuerySet[App] = super().get_queryset(request)
        return queryset.select_related("domain", "mailbox")

    def get_inlines(self, request: HttpRequest, obj: App | None) -> tuple[Any, ...]:
        return self.inlines if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: App | None = None) -> tuple[str, ...]:
        return ("name", "domain", "sent_lately") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: App | None = None) -> Any:
        names = ("name", "domain", "local_part", "display_name", "is_active")
        return [(None, {"fields": names}), with_usage(LIMITS_FIELDSET) if obj else LIMITS_FIELDSET]

    def save_model(
        self, request: HttpRequest, obj: App, form: "forms.ModelForm[App]", change: bool
    ) -> None:
        if change:
            obj.save()
        else:
            request.new_secret = people.save_new_app(obj).secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: App, post_url_continue: str | None = None
    ) -> HttpResponse:
        secret: str = request.new_secret  # type: ignore[attr-defined]
        return show_secret(self, request, obj, username=obj.address, secret=secret)

    @display(description="sends as", ordering="local_part")
    def app_address(self, app: App) -> str:
        return app.address

    @action(description="New credentials", url_path="regenerate", icon="key")
    def regenerate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return new_secret_page(
            self,
            request,
            object_id,
            form_class=forms.Form,
            title="New credentials",
            explanation="The app is shut out until it is given the new password, which is shown once.",
            button="End the old password and make a new one",
            make=lambda app, form: people.regenerate_credentials(app).secret,
        )
