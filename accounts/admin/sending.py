"""The admin's page of sending limits: who has sent how much, who is kept back and why, and a way to begin anew.

The pages of users, apps and domains set the limits, and show an account's own bars.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from accounts.admin.pages import ReadOnlyAdmin
from accounts.allowances import DAY, HOUR, LIMITS
from accounts.entries import UNLIMITED
from accounts.models import App, SendingCount, User
from accounts.models.sending import COUNTS

LIMITS_FIELDSET = (
    "Limits of sending",
    {
        "fields": (
            ("messages_an_hour", "recipients_an_hour"),
            ("messages_a_day", "recipients_a_day"),
        ),
        "description": 'A number or "unlimited". Empty: as the next one above has it (user or app, domain, installation).',
    },
)


def with_usage(fieldset: Any) -> Any:
    """The fieldset for an account that is there."""
    title, content = fieldset
    return title, {**content, "fields": (*content["fields"], "sent_lately")}


class KeptBack(admin.SimpleListFilter):
    """Who waits for a limit, or did today."""

    title = "which"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "kept back now"), ("ever", "kept back lately")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "now":
                return queryset.filter(full_until__gt=Now())
            case "ever":
                return queryset.filter(refused__gt=0)
        return queryset


@admin.register(SendingCount)
class SendingCountAdmin(ReadOnlyAdmin):
    """A row for each user and app that has sent lately."""

    list_display = ("who", "state", "usage", "kept_back", "where_from")
    list_display_links = None
    list_filter = (KeptBack,)
    search_fields = ("user__username", "app__name", "app__local_part")
    search_help_text = "A user name, or an app's name"
    ordering = (F("refused_at").desc(nulls_last=True), "-day_messages")
    list_select_related = ("user__domain", "app__domain")
    actions = ("begin_anew",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SendingCount]:
        queryset: QuerySet[SendingCount] = super().get_queryset(request)
        return queryset.filter(Q(day_began__gt=timezone.now() - DAY) | Q(full_until__gt=Now()))

    @display(description="who")
    def who(self, count: SendingCount) -> SafeString:
        owner = _owner(count)
        link = reverse(f"admin:accounts_{owner._meta.model_name}_change", args=[owner.pk])
        what = ": filters" if count.by_scripts else ""
        return format_html(
            '<a class="text-primary-600" href="{}">{}</a>{}', link, owner.address, what
        )

    @display(description="now", label={"kept back": "danger", "free": "success"})
    def state(self, count: SendingCount) -> tuple[str, str]:
        is_full = any(bar["is_full"] for bar in _bars(_owner(count), count))
        if count.full_until is None or count.full_until <= timezone.now() or not is_full:
            return "free", "may send"
        return "kept back", f"kept back until {timezone.localtime(count.full_until):%d.%m. %H:%M}"

    @display(description="sent of what may be")
    def usage(self, count: SendingCount) -> SafeString:
        return usage_bars(_owner(count), count)

    @display(description="kept back", ordering="refused")
    def kept_back(self, count: SendingCount) -> str:
        if not count.refused:
            return "-"
        many = "1 attempt" if count.refused == 1 else f"{count.refused} attempts"
        return f"{many}: the limit is {count.refusal.removeprefix('to ')}"

    @display(description="from")
    def where_from(self, count: SendingCount) -> str:
        return ", ".join(count.clients)

    @admin.action(description="Begin anew: forget what was sent, and let them send at once")
    def begin_anew(self, request: HttpRequest, queryset: "QuerySet[SendingCount]") -> None:
        number, _ = queryset.delete()
        self.message_user(request, f"{number} may send again.")


class SenderPage:
    """For the page of a user or an app: what it has sent lately, and an action to begin anew."""

    @display(description="sent lately")
    def sent_lately(self, owner: User | App) -> SafeString:
        by_scripts = {
            count.by_scripts: count for count in SendingCount.objects.filter(**_key(owner))
        }
        own = usage_bars(owner, by_scripts.get(False))
        if True not in by_scripts:
            return own
        return format_html("{}<br>By filters:{}", own, usage_bars(owner, by_scripts[True]))

    @action(description="Reset sending limits", url_path="begin-anew", icon="restart_alt")
    def begin_anew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        page: Any = self
        owner = page.get_object(request, unquote(object_id))
        if owner is None:
            raise Http404
        if not page.has_change_permission(request, owner):
            raise PermissionDenied
        if request.method != "POST":
            context = {
                **page.admin_site.each_context(request),
                "opts": page.opts,
                "original": owner,
                "title": f"Sending limits of {owner}",
                "explanation": "What it has sent is forgotten: it may send at once.",
                "button": "Begin anew",
            }
            return TemplateResponse(request, "admin/accounts/new_secret.html", context)
        SendingCount.objects.filter(**_key(owner)).delete()
        page.message_user(request, f"{owner} may send again.")
        return redirect(reverse(f"admin:accounts_{page.opts.model_name}_change", args=[owner.pk]))


def usage_bars(owner: User | App, count: SendingCount | None) -> SafeString:
    """What was sent in this hour and this day beside the limits that hold now."""
    return render_to_string(
        "admin/accounts/sending_usage.html", {"bars": list(_bars(owner, count))}
    )


def _bars(owner: User | App, count: SendingCount | None) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    for number, (name, counted) in enumerate(zip(LIMITS, COUNTS, strict=True)):
        limit = getattr(owner, name) or getattr(owner.domain, name)
        limit = limit or settings.SENDING_LIMITS[number]
        used = 0
        if count is not None:
            is_of_hour = number < 2
            began = count.hour_began if is_of_hour else count.day_began
            used = getattr(count, counted) if began > now - (HOUR if is_of_hour else DAY) else 0
        words = name.replace("_", " ")
        has_limit = limit != UNLIMITED
        yield {
            "text": f"{used} of {limit} {words}" if has_limit else f"{used} {words}, no limit",
            "percent": min(100, used * 100 // limit) if has_limit else 0,
            "is_full": has_limit and used >= limit,
        }


def _owner(count: SendingCount) -> User | App:
    owner = count.user or count.app
    assert owner is not None
    return owner


def _key(owner: User | App) -> dict[str, Any]:
    return {"user" if isinstance(owner, User) else "app": owner}
