"""The admin's page of the filters of others: which are asked, where, and whether they answer."""

import asyncio
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.people import raw_connection
from accounts.secrets import encrypt
from transport.filters.opinions import probe
from transport.filters.setups import read_setups, write_states
from transport.models import ExternalFilter

SET_HERE = ("is_on", "address", "teach_address", "is_strict", "password_encrypted")
_ONLY_OF = {"teach_address": "rspamd", "password": "rspamd", "is_strict": "clamav"}


class ExternalFilterForm(forms.ModelForm):  # type: ignore[type-arg]
    """One filter."""

    password = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="The controller's. Kept encrypted. Empty: the one that is set stays.",
    )

    class Meta:
        model = ExternalFilter
        fields = ("is_on", "address", "teach_address", "is_strict")


@admin.register(ExternalFilter)
class ExternalFilterAdmin(ModelAdmin):
    """One row a filter. A change works within seconds; one that is on is asked at once, to see whether it answers."""

    form = ExternalFilterForm
    list_display = ("__str__", "is_on", "address", "does", "error", "error_at")
    actions = ["ask_now"]

    def get_fields(self, request: HttpRequest, obj: ExternalFilter | None = None) -> Any:
        fields = ("is_on", "address", "teach_address", "password", "is_strict")
        return [one for one in fields if obj is None or _ONLY_OF.get(one, obj.name) == obj.name]

    def save_model(
        self,
        request: HttpRequest,
        obj: ExternalFilter,
        form: "forms.ModelForm[ExternalFilter]",
        change: bool,
    ) -> None:
        if password := form.cleaned_data.get("password"):
            obj.password_encrypted = encrypt(password)
        obj.save(update_fields=SET_HERE)  # the rest is written by the processes that ask
        if obj.is_on:
            self._ask(request, obj)

    @admin.action(description="Ask whether it answers")
    def ask_now(self, request: HttpRequest, queryset: QuerySet[ExternalFilter]) -> None:
        for one in queryset:
            self._ask(request, one)

    @display(description="state")
    def does(self, one: ExternalFilter) -> str:
        if not one.is_on:
            return "off"
        if one.answered_at is None:
            return "has never answered"
        is_failing = one.error_at is not None and one.error_at > one.answered_at
        return f"{'failed since' if is_failing else 'answered'} {one.answered_at:%Y-%m-%d %H:%M:%S}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def _ask(self, request: HttpRequest, one: ExternalFilter) -> None:
        db = raw_connection()
        setup = next(setup for name, setup in read_setups(db).items() if name == one.name)
        error = asyncio.run(probe(setup))
        write_states(db, {setup.name: error})
        if error:
            messages.error(request, f"{one} does not answer: {error}")
        else:
            messages.success(request, f"{one} answers.")
