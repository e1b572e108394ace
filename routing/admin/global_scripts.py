"""The admin's pages of global Sieve scripts: those that run before and after each user's own, and those to include."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.pages import DirectoryAdmin
from routing.admin.script_forms import ScriptForm
from routing.models import GlobalScript


class GlobalScriptForm(ScriptForm):
    class Meta:
        model = GlobalScript
        fields = ("place", "name", "is_enabled")


@admin.register(GlobalScript)
class GlobalScriptAdmin(DirectoryAdmin):
    """Scripts of one place run in the order of their names."""

    form = GlobalScriptForm
    list_display = ("name", "place", "is_enabled", "changed_at")
    list_filter = ("place", "is_enabled")
    search_fields = ("name",)
    readonly_fields = ("changed_at",)
    fields = ("place", "name", "is_enabled", "text", "changed_at")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[GlobalScript]":
        queryset: QuerySet[GlobalScript] = super().get_queryset(request)
        return queryset.defer("content")

    def save_model(
        self, request: HttpRequest, obj: GlobalScript, form: GlobalScriptForm, change: bool
    ) -> None:
        obj.content = form.octets
        obj.save()
        for warning in form.warnings:
            messages.warning(request, str(warning))
