"""What the admin as a whole shows: the navigation and the first page."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from accounts.admin.pages import human_size
from accounts.models import App, Domain, Group, Mailbox, SendingCount, TraceEntry, User
from transport.models import QueuedRecipient

LATEST = 8

admin.site.index_title = "Overview"


def _link(title: str, icon: str, page: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{page}_changelist")}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar."""
    is_trying = request.path == reverse("admin:routing_script_try")
    start = {"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}
    return [
        {"items": [start]},
        {
            "title": "Who exists",
            "separator": True,
            "items": [
                _link("Domains", "language", "accounts_domain"),
                _link("Users", "person", "accounts_user"),
                _link("Aliases", "alternate_email", "accounts_alias"),
                _link("Groups", "group", "accounts_group"),
                _link("Apps", "smart_toy", "accounts_app"),
                _link("Mailboxes", "inbox", "accounts_mailbox"),
            ],
        },
        {
            "title": "Filters",
            "separator": True,
            "items": [
                _link("Users' scripts", "filter_alt", "routing_script")
                | {"active": "/routing/script/" in request.path and not is_trying},
                _link("Global scripts", "rule", "routing_globalscript"),
                _link("Address lists", "contacts", "routing_addresslist"),
                {
                    "title": "Try a script",
                    "icon": "labs",
                    "link": reverse_lazy("admin:routing_script_try"),
                },
            ],
        },
        {
            "title": "Spam",
            "separator": True,
            "items": [
                _link("What was learned", "school", "routing_spammodel")
                | {"active": request.path == reverse("admin:routing_spammodel_changelist")},
                {
                    "title": "Why this score",
                    "icon": "help",
                    "link": reverse_lazy("admin:routing_spam_why"),
                },
                {
                    "title": "Another threshold",
                    "icon": "tune",
                    "link": reverse_lazy("admin:routing_spam_what_if"),
                },
            ],
        },
        {
            "title": "Mail on its way",
            "separator": True,
            "items": [
                _link("Trace log", "route", "accounts_traceentry"),
                _link("Queue", "schedule_send", "transport_queuedrecipient"),
                _link("Sending limits", "speed", "accounts_sendingcount"),
                _link("Relays", "share", "transport_relay"),
                _link("DKIM keys", "key", "transport_dkimkey"),
            ],
        },
        {
            "title": "Who may come in",
            "separator": True,
            "items": [
                _link("Policies", "policy", "routing_policysetting"),
                _link("Block and allow lists", "block", "routing_listedsender"),
                _link("DNS block lists", "dns", "routing_dnsblzone"),
                _link("Others' filters", "filter_list", "transport_externalfilter"),
                _link("DMARC overrides", "gavel", "routing_dmarcoverride"),
                _link("Trusted ARC sealers", "verified", "routing_trustedsealer"),
                _link("Blocked logins", "lock_clock", "accounts_loginfailure"),
                _link("Allowed clients", "verified_user", "transport_allowedclient"),
            ],
        },
    ]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The first page: how much there is of what, what waits, what came last, what a client is told."""
    users = User.objects.aggregate(all=Count("pk"), active=Count("pk", filter=Q(is_active=True)))
    domains = Domain.objects.aggregate(
        all=Count("pk"), mail=Count("pk", filter=Q(mail_enabled=True))
    )
    stored = Mailbox.objects.aggregate(size=Sum("used_bytes"), messages=Sum("used_messages"))
    waiting = QueuedRecipient.objects.filter(state=QueuedRecipient.State.WAITING)
    queue = waiting.aggregate(all=Count("pk"), tried=Count("pk", filter=Q(attempts__gt=0)))
    cards = [
        _card("Domains", domains["all"], f"{domains['mail']} with mail", "accounts_domain"),
        _card("Users", users["all"], f"{users['active']} active", "accounts_user"),
        _card("Groups", Group.objects.count(), "reach many at once", "accounts_group"),
        _card("Apps", App.objects.count(), "send by themselves", "accounts_app"),
        _card(
            "Stored",
            human_size(stored["size"] or 0),
            f"{stored['messages'] or 0} messages",
            "accounts_mailbox",
        ),
        _card("Queue", queue["all"], f"{queue['tried']} tried before", "transport_queuedrecipient"),
    ]
    kept_back = SendingCount.objects.filter(full_until__gt=timezone.now()).count()
    if kept_back:
        note = (
            "have reached a limit of sending" if kept_back > 1 else "has reached a limit of sending"
        )
        cards.append(_card("Kept back", kept_back, note, "accounts_sendingcount"))
    return {
        **context,
        "cards": cards,
        "latest": {
            "headers": ["Time", "Step", "Result", "From", "To", "Why"],
            "rows": [
                [f"{e.at:%H:%M:%S}", e.step, e.result, e.sender, e.recipient, e.reason]
                for e in TraceEntry.objects.order_by("-id")[:LATEST]
            ],
        },
        "clients": {
            "headers": ["A mail client asks for", ""],
            "rows": [
                ["Username", "the full address"],
                ["Incoming (IMAP, TLS)", f"{settings.MAIL_HOSTNAME}, port {settings.IMAPS_PORT}"],
                [
                    "Outgoing (SMTP, TLS)",
                    f"{settings.MAIL_HOSTNAME}, port {settings.SUBMISSIONS_PORT}",
                ],
                [
                    "Outgoing (SMTP, STARTTLS)",
                    f"{settings.MAIL_HOSTNAME}, port {settings.SUBMISSION_PORT}",
                ],
                [
                    "Filters (ManageSieve, STARTTLS or TLS)",
                    f"{settings.MAIL_HOSTNAME}, port {settings.SIEVE_PORT}",
                ],
            ],
        },
    }


def _card(title: str, value: object, note: str, page: str) -> dict[str, Any]:
    return {
        "title": title,
        "value": value,
        "note": note,
        "link": reverse_lazy(f"admin:{page}_changelist"),
    }
