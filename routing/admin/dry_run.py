"""The admin's page that tries a Sieve script on a message: what it would do and why, with nothing of it done."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.mailstore.values import MailboxId
from accounts.people import raw_connection
from routing.admin.dry_run_form import DryRunForm
from routing.dry_run.listing import listings
from routing.dry_run.report import outcome
from routing.dry_run.running import DryRun, dry_run, likely_envelope
from routing.envelope import Client
from routing.filtering.deciding import environment_of
from routing.filtering.host import MailboxHost
from routing.sieve.host import Alone, Host, ScriptEnvelope

NONE = "<>"
NOBODY = Client("", "", "")


class DryRunPage:
    """For the page of scripts: another page beside the list."""

    def get_urls(self) -> list[URLPattern]:
        admin: Any = self
        view = admin.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="routing_script_try"), *super().get_urls()]  # type: ignore[misc]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """The form, and below it what came of it: only of a POST, since a script may take its time."""
        admin: Any = self
        if not admin.has_change_permission(request):
            raise PermissionDenied
        is_asked = request.method == "POST"
        form = DryRunForm(request.POST if is_asked else request.GET)
        context = {
            **admin.admin_site.each_context(request),
            "opts": admin.opts,
            "title": "Try a script",
            "form": form,
        }
        if is_asked and "refresh" not in request.POST and form.is_valid():
            context |= _tried(form)
        return TemplateResponse(request, "admin/routing/dry_run.html", context)


def _tried(form: DryRunForm) -> dict[str, Any]:
    """What the page shows of the run."""
    asked = form.cleaned_data
    mail = asked["mail"]
    envelope = _envelope(form)
    run: DryRun = dry_run(
        asked["script_octets"], mail, envelope, _host(form), environment_of(NOBODY)
    )
    done = outcome(run, mail)
    return {
        "run": run,
        "envelope": envelope,
        "outcome": [(role.value, text) for role, text in done],
        "listings": list(listings(run)),
    }


def _envelope(form: DryRunForm) -> ScriptEnvelope:
    asked = form.cleaned_data
    sender = asked["envelope_from"].strip()
    recipient = asked["envelope_to"].strip()
    if not recipient and form.owner is not None:
        recipient = form.owner.name
    return likely_envelope(
        asked["mail"],
        None if not sender else "" if sender == NONE else sender.strip("<>"),
        recipient.strip("<>") or None,
    )


def _host(form: DryRunForm) -> Host:
    """Nothing counts as seen before: what is tried may have been delivered through the same script."""
    if form.owner is None:
        return Alone()
    return MailboxHost(raw_connection(), MailboxId(form.owner.pk), remembers=False)
