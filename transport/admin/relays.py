"""The admin's pages of relays. A password goes in and is never shown again."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.admin.pages import DirectoryAdmin
from accounts.secrets import encrypt
from transport.models import Relay


class RelayForm(forms.ModelForm):  # type: ignore[type-arg]
    """One relay."""

    password = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted. Empty: the one that is set stays.",
    )

    class Meta:
        model = Relay
        fields = ("domain", "host", "port", "tls", "username", "ca_file")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        same = Relay.objects.filter(domain=cleaned.get("domain")).exclude(pk=self.instance.pk)
        if "domain" in cleaned and same.exists():
            whose = cleaned["domain"] or "every domain without one of its own"
            self.add_error("domain", f"There is a relay of {whose} already: change that one.")
        has_password = bool(cleaned.get("password") or self.instance.password_encrypted)
        if cleaned.get("username") and not has_password:
            self.add_error("password", "A username needs a password.")
        return cleaned


@admin.register(Relay)
class RelayAdmin(DirectoryAdmin):
    """Where mail goes instead of to the recipients' MX hosts."""

    form = RelayForm
    list_display = ("host", "port", "whose", "tls", "username")
    list_filter = ("domain",)
    list_select_related = ("domain",)
    search_fields = ("host", "domain__name", "username")
    fieldsets = (
        (None, {"fields": ("domain", ("host", "port"))}),
        ("Login", {"fields": (("username", "password"),)}),
        ("TLS", {"fields": ("tls", "ca_file")}),
    )

    def save_model(
        self, request: HttpRequest, obj: Relay, form: "forms.ModelForm[Relay]", change: bool
    ) -> None:
        if not obj.username:
            obj.password_encrypted = ""
        elif form.cleaned_data["password"]:
            obj.password_encrypted = encrypt(form.cleaned_data["password"])
        obj.save()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Most relays are everybody's."""
        return {**super().get_changeform_initial_data(request), "domain": None}

    @display(description="of", ordering="domain__name")
    def whose(self, relay: Relay) -> str:
        return relay.domain.name if relay.domain else "every domain without one of its own"
