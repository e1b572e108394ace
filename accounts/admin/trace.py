"""The admin's trace log: what was decided and done about each message, and why."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from accounts.admin.pages import ReadOnlyAdmin
from accounts.models import TraceEntry

RECENT = 5000  # events that the filters offer the words of
GOOD, BAD, LATER = "success", "danger", "warning"
_LABELS = {
    "accepted": GOOD,
    "stored": GOOD,
    "delivered": GOOD,
    "signed": GOOD,
    "filed": GOOD,
    "done": GOOD,
    "queued": "info",
    "enqueued": "info",
    "refused": BAD,
    "failed": BAD,
    "bounced": BAD,
    "deferred": LATER,
    "cancelled": LATER,
}


class _WordFilter(admin.SimpleListFilter):
    """The words that a column holds lately: the whole table is never read for a filter."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        recent = TraceEntry.objects.order_by("-id").values_list(str(self.parameter_name), flat=True)
        return [(word, word) for word in sorted(set(recent[:RECENT]))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        word = self.value()
        return queryset.filter(**{str(self.parameter_name): word}) if word else queryset


class StepFilter(_WordFilter):
    title = "step"
    parameter_name = "step"


class ResultFilter(_WordFilter):
    title = "result"
    parameter_name = "result"


@admin.register(TraceEntry)
class TraceAdmin(ReadOnlyAdmin):
    """Search by an address, a trace id or a reason; open an event for the whole story of its message."""

    list_display = ("when", "step", "result_shown", "sender", "recipient", "reason")
    list_filter = (StepFilter, ResultFilter)
    search_fields = ("trace_id", "sender", "recipient", "reason")
    search_help_text = (
        "An address, a trace id (it stands in the Received field), or words of a reason."
    )
    paginator = InfinitePaginator
    list_per_page = 50

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> TemplateResponse:
        """Every event of the message, in order."""
        event = self.get_object(request, object_id)
        events = TraceEntry.objects.filter(trace_id=event.trace_id if event else "").order_by("id")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": event,
            "title": f"Message {event.trace_id}" if event else "No such message",
            "events": events,
            "table": {
                "headers": ["Time", "Step", "Result", "From", "To", "Why", "Details"],
                "rows": [_cells(each) for each in events],
            },
        }
        return TemplateResponse(request, "admin/accounts/trace_story.html", context)

    @display(description="time (UTC)", ordering="id")
    def when(self, event: TraceEntry) -> str:
        """On one line: the spaces do not break."""
        return f"{event.at:%Y-%m-%d\u00a0%H:%M:%S}"

    @display(description="result", label=_LABELS, ordering="result")
    def result_shown(self, event: TraceEntry) -> str:
        return event.result


def _cells(event: TraceEntry) -> list[str]:
    detail = event.detail if isinstance(event.detail, dict) else {}
    return [
        f"{event.at:%Y-%m-%d %H:%M:%S}",
        event.step,
        event.result,
        event.sender,
        event.recipient,
        event.reason,
        ", ".join(f"{name}: {value}" for name, value in detail.items()),
    ]
