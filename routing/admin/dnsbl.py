"""The admin's page of DNS block lists, with a warning where one does not answer this server."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from routing.models import DnsblZone

PROBLEM_DAYS = 1


class DnsblZoneForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = DnsblZone
        fields = ("zone", "is_active", "points", "codes")
        widgets = {"codes": UnfoldAdminTextareaWidget(attrs={"rows": 8, "spellcheck": "false"})}


@admin.register(DnsblZone)
class DnsblZoneAdmin(ModelAdmin):
    """A change works within seconds."""

    form = DnsblZoneForm
    list_display = ("zone", "is_active", "points", "hits", "last_hit_at", "state")
    readonly_fields = ("hits", "last_hit_at", "problem", "problem_at")
    fieldsets = (
        (None, {"fields": ("zone", "is_active", "points", "codes")}),
        ("Use", {"fields": ("hits", "last_hit_at", "problem", "problem_at")}),
    )

    @display(
        description="state", label={"not answered": "danger", "well": "success", "off": "info"}
    )
    def state(self, one: DnsblZone) -> str:
        if not one.is_active:
            return "off"
        return "not answered" if has_problem(one) else "well"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        for one in DnsblZone.objects.filter(is_active=True):
            if has_problem(one):
                messages.warning(request, f"{one.zone}: {one.problem}")
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response


def has_problem(one: DnsblZone) -> bool:
    """Whether it failed lately, and has listed nobody since."""
    if one.problem_at is None or timezone.now() - one.problem_at > timedelta(days=PROBLEM_DAYS):
        return False
    return one.last_hit_at is None or one.last_hit_at < one.problem_at
