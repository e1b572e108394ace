"""The admin's page that says which of the last messages another threshold would have filed otherwise."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.models import TraceEntry
from routing.admin.spam_why import VERDICT
from routing.admin.stored_mail import ADDRESS_MAXIMUM, text_widget
from routing.spam.classifier import THRESHOLD

LAST = 500
READ = 100_000  # events of the trace in which they are looked for
SPAM, HAM = "spam", "ham"
BARS = 16


class WhatIfForm(forms.Form):
    threshold = forms.FloatField(
        label="Into Spam at", min_value=-100, max_value=100, widget=UnfoldAdminDecimalFieldWidget()
    )
    recipient = forms.CharField(
        label="Only mail to",
        required=False,
        max_length=ADDRESS_MAXIMUM,
        widget=text_widget(placeholder="an address, or @ and a domain"),
        help_text="Empty: to everybody.",
    )


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that would be filed otherwise."""

    event: TraceEntry
    points: float
    becomes: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Of how many messages; how many are spam now, and would be."""

    messages: int
    spam_now: int
    spam_then: int
    changed: list[Changed]


def what_if(events: list[TraceEntry], threshold: float) -> WhatIf:
    """What is spam for another reason than its points, or is none in spite of them, stays what it is; so does what was refused."""
    changed: list[Changed] = []
    spam_now = sum(event.result == SPAM for event in events)
    for event in events:
        points, before = _number(event, "points"), _number(event, "threshold")
        if points is None or before is None:
            continue
        was, becomes = (SPAM if points >= limit else HAM for limit in (before, threshold))
        if event.result == was != becomes:
            changed.append(Changed(event, points, becomes))
    gained = sum(1 if one.becomes == SPAM else -1 for one in changed)
    return WhatIf(len(events), spam_now, spam_now + gained, changed)


class WhatIfPage:
    """For the page of spam models: another page beside the list."""

    def get_urls(self) -> list[URLPattern]:
        admin: Any = self
        view = admin.admin_site.admin_view(self.what_if_view)
        return [path("what-if/", view, name="routing_spam_what_if"), *super().get_urls()]  # type: ignore[misc]

    def what_if_view(self, request: HttpRequest) -> HttpResponse:
        """It changes nothing."""
        admin: Any = self
        if not admin.has_view_permission(request):
            raise PermissionDenied
        form = WhatIfForm(request.GET or {"threshold": THRESHOLD})
        context = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": "What if the threshold were another",
            "form": form,
            "last": LAST,
        }
        if form.is_valid():
            newest = TraceEntry.objects.aggregate(newest=Max("id"))["newest"] or 0
            events = TraceEntry.objects.filter(step=VERDICT, id__gt=newest - READ).order_by("-id")
            if recipient := form.cleaned_data["recipient"].strip().replace("\0", ""):
                events = events.filter(recipient__iendswith=recipient)
            threshold = form.cleaned_data["threshold"]
            shown = list(events[:LAST])
            context |= {
                "found": what_if(shown, threshold),
                "threshold": threshold,
                "bars": bars(shown, threshold),
            }
        return TemplateResponse(request, "admin/routing/spam_what_if.html", context)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many messages have points between two whole numbers; heights in percent."""

    label: str
    messages: int
    height: float
    is_spam: bool


def bars(events: list[TraceEntry], threshold: float) -> list[Bar]:
    """The scores as they lie; what is beyond the ends stands in the outermost."""
    low, high = -BARS // 2, BARS // 2 + 4
    counts = dict.fromkeys(range(low, high), 0)
    for event in events:
        points = _number(event, "points")
        if points is not None:
            counts[int(max(low, min(high - 1, points // 1)))] += 1
    most = max(counts.values()) or 1
    return [
        Bar(str(place), count, 100 * count / most, place >= threshold)
        for place, count in counts.items()
    ]


def _number(event: TraceEntry, name: str) -> float | None:
    value = event.detail.get(name) if isinstance(event.detail, dict) else None
    return value if isinstance(value, int | float) else None
