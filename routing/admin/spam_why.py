"""The admin's page that says why a message has its score: what was recorded, and what the models think of it now.

It shows signs, their points and the tokens that say most; of the message's text nothing else.
"""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.journal.trace import clean
from accounts.mailstore.folders import list_folders
from accounts.mailstore.headers import header_end
from accounts.mailstore.values import INBOX, MailboxId
from accounts.models import Mailbox, TraceEntry
from accounts.namespace import Conflict
from accounts.people import raw_connection
from routing.admin.stored_mail import (
    ADDRESS_MAXIMUM,
    choice_widget,
    find_mailbox,
    latest_messages,
    stored_content,
    suggestions,
    text_widget,
)
from routing.spam_models.explaining import Explanation, explain

VERDICT = "verdict"
SHOWN = 50
_REFRESH = "this.form.submit()"
_TRACE_ID = re.compile(rb"^Received:(?:[^\r\n]|\r\n[ \t])*?\sid\s+([\w.-]{6,64})", re.M | re.I)
_PLACES = {
    "subject": "Subject",
    "from": "From",
    "name": "name in From",
    "reply": "Reply-To",
    "to": "To",
    "mailer": "mail program",
    "auth": "Authentication-Results",
    "received": "Received",
    "client": "sending host",
    "no": "field that is missing",
    "has": "field that is there",
    "url": "link",
    "path": "link's path",
    "file": "attachment",
    "type": "kind of part",
    "tag": "HTML tag",
    "html": "HTML",
    "foot": "below the text",
    "hidden": "hidden text",
}


class WhyForm(forms.Form):
    """A trace id, or a stored message."""

    trace = forms.CharField(
        label="Trace id", required=False, max_length=100, widget=text_widget(size=20)
    )
    mailbox = forms.CharField(
        label="or mailbox",
        required=False,
        max_length=ADDRESS_MAXIMUM,
        widget=text_widget(list="mailboxes", placeholder="ann@example.org", onchange=_REFRESH),
    )
    folder = forms.ChoiceField(required=False, widget=choice_widget(onchange=_REFRESH))
    message = forms.ChoiceField(required=False, widget=choice_widget(onchange=_REFRESH))
    uid = forms.IntegerField(
        label="or its UID",
        required=False,
        min_value=1,
        max_value=(1 << 32) - 1,
        widget=UnfoldAdminIntegerFieldWidget(),
    )

    def __init__(self, data: QueryDict) -> None:
        answers = data.copy()
        super().__init__(answers, auto_id="why_%s")
        self.owner: Mailbox | None = None
        self.suggestions = suggestions()
        self._unknown = ""
        folders, messages = [(INBOX, INBOX)], [("", "")]
        address = clean(str(data.get("mailbox", "")).strip()[:ADDRESS_MAXIMUM])
        if address:
            try:
                self.owner = find_mailbox(address)
            except Conflict as conflict:
                self._unknown = str(conflict)
        if self.owner is not None:
            owner = MailboxId(self.owner.pk)
            states = {one.name: one for one in list_folders(raw_connection(), owner)}
            folders = [(name, f"{name} ({one.message_count})") for name, one in states.items()]
            folder = states.get(str(data.get("folder") or INBOX))
            if folder is not None:
                messages += latest_messages(owner, folder.id)
        for name, choices in (("folder", folders), ("message", messages)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
            if answers.get(name, "") not in dict(choices):
                answers[name] = INBOX if name == "folder" else ""

    def clean_mailbox(self) -> str:
        if self._unknown:
            raise forms.ValidationError(self._unknown)
        return str(self.cleaned_data["mailbox"])

    def clean(self) -> dict[str, Any]:
        """`content`: the stored message that is asked about, or None."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        uid = cleaned.get("uid") or int(cleaned.get("message") or 0)
        if uid and self.owner is not None:
            cleaned["content"] = stored_content(self.owner, cleaned.get("folder") or INBOX, uid)
            if cleaned["content"] is None:
                self.add_error("uid", "There is no such message in the folder.")
        return cleaned


@dataclass(frozen=True, slots=True)
class Recorded:
    """A verdict of the trace."""

    event: TraceEntry
    terms: list[tuple[str, float]]
    telling: list[tuple[str, str, float]]
    notes: list[str]


class WhyPage:
    """For the page of spam models: another page beside the list."""

    def get_urls(self) -> list[URLPattern]:
        admin: Any = self
        view = admin.admin_site.admin_view(self.why_view)
        return [path("why/", view, name="routing_spam_why"), *super().get_urls()]  # type: ignore[misc]

    def why_view(self, request: HttpRequest) -> HttpResponse:
        """The form, and below it what is known of the message. It changes nothing."""
        admin: Any = self
        if not admin.has_view_permission(request):
            raise PermissionDenied
        form = WhyForm(request.GET)
        context = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": "Why this score",
            "form": form,
            "is_asked": bool(request.GET.get("trace")),
        }
        if form.is_valid():
            context |= _found(form)
        return TemplateResponse(request, "admin/routing/spam_why.html", context)


def _found(form: WhyForm) -> dict[str, Any]:
    trace = clean(form.cleaned_data["trace"].strip())
    content = form.cleaned_data.get("content")
    found: dict[str, Any] = {}
    if content is not None and form.owner is not None:
        known: Explanation = explain(raw_connection(), content, MailboxId(form.owner.pk))
        found["explanation"] = known
        found["telling"] = [(*in_words(one.token), one) for one in known.telling]
        traced = _TRACE_ID.search(content[: header_end(content)])
        trace = trace or (traced[1].decode("ascii", "replace") if traced else "")
        found["trace_id"] = trace
    if trace:
        events = TraceEntry.objects.filter(trace_id=trace, step=VERDICT).order_by("id")
        found["recorded"] = [recorded(event) for event in events[:SHOWN]]
    return found


def recorded(event: TraceEntry) -> Recorded:
    """An event's detail, whatever an older version wrote there."""
    detail = event.detail if isinstance(event.detail, dict) else {}
    terms = detail.get("terms") or {}
    return Recorded(
        event,
        sorted(terms.items(), key=lambda term: -abs(term[1])),
        [(*in_words(str(text)), points) for text, points in detail.get("telling") or ()],
        [str(note) for note in detail.get("notes") or ()],
    )


def in_words(token: str) -> tuple[str, str]:
    """Where a token stands, and what it is."""
    prefix, colon, text = token.partition(":")
    return (_PLACES.get(prefix, prefix), text) if colon else ("text", token)
