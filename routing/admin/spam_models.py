"""The admin's page of what was learned about spam, by domain and by user."""

from typing import Any

from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.admin.pages import ReadOnlyAdmin
from routing.admin.spam_what_if import WhatIfPage
from routing.admin.spam_why import WhyPage
from routing.models import SpamModel
from routing.spam.classifier import LEAST_LEARNED
from routing.spam.layers import LEAST_TAUGHT

DOMAIN, USER = "domain", "user"


class KindFilter(admin.SimpleListFilter):
    title = "whose"
    parameter_name = "of"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(DOMAIN, "domains"), (USER, "users")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(mailbox__isnull=self.value() == DOMAIN) if self.value() else queryset


@admin.register(SpamModel)
class SpamModelAdmin(WhyPage, WhatIfPage, ReadOnlyAdmin):
    """Domains first, those too that have learned nothing yet."""

    list_display = ("whose", "kind", "spam", "ham", "progress", "trained_at")
    list_filter = (KindFilter,)
    list_display_links = None
    search_fields = ("domain__name", "mailbox__name")
    list_per_page = 50
    ordering = ("domain__name", "mailbox__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpamModel]:
        _begin_all()
        models: QuerySet[SpamModel] = super().get_queryset(request)
        return models.select_related("domain", "mailbox")

    @display(description="of", ordering="domain__name")
    def whose(self, model: SpamModel) -> str:
        return str(model)

    @display(description="kind", label={DOMAIN: "info", USER: "success"})
    def kind(self, model: SpamModel) -> str:
        return USER if model.domain is None else DOMAIN

    @display(description="learned enough")
    def progress(self, model: SpamModel) -> SafeString:
        """A bar for each class, as far as the model is asked."""
        least = LEAST_TAUGHT if model.domain is None else LEAST_LEARNED
        if min(model.spam, model.ham) >= least:
            return format_html("<span>{}</span>", "yes")
        return format_html(
            '<div style="display:grid;gap:3px;min-width:11rem">{}{}</div>',
            _bar("spam", model.spam, least),
            _bar("ham", model.ham, least),
        )


def _bar(name: str, count: int, least: int) -> SafeString:
    return format_html(
        '<div style="display:flex;align-items:center;gap:.5rem;font-size:.75rem">'
        '<span style="width:2.25rem">{}</span>'
        '<progress max="{}" value="{}" style="flex:1;height:.5rem" aria-label="{} learned"></progress>'
        "<span>{} of {}</span></div>",
        name,
        least,
        min(count, least),
        name,
        min(count, least),
        least,
    )


def _begin_all() -> None:
    """Domains that nobody has taught yet are shown as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO routing_spam_model (domain_id) SELECT d.id FROM accounts_domain d"
            " WHERE NOT EXISTS (SELECT FROM routing_spam_model m WHERE m.domain_id = d.id)"
            " ON CONFLICT DO NOTHING"
        )
