"""The admin's pages of DKIM keys: the DNS record that each needs, and whether it signs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.admin.domains import DomainAdmin
from accounts.models import Domain
from accounts.people import raw_connection
from transport.dns.resolver import resolver
from transport.key_publication import check_publication
from transport.models import DkimKey
from transport.signing_keys import RSA, ensure_keys, record_value


def record_name(key: DkimKey) -> str:
    """Where the record stands (RFC 6376 §3.6.2.1)."""
    return f"{key.selector}._domainkey.{key.domain.name}"


def shown_record(key: DkimKey) -> SafeString:
    """The record, to be copied into the domain's DNS."""
    return format_html(
        '<div class="font-mono text-xs break-all select-all">{}. IN TXT "{}"</div>',
        record_name(key),
        '" "'.join(_strings(record_value(key.algorithm, key.public_key))),
    )


def _strings(value: str) -> list[str]:
    """A TXT record's strings hold 255 octets each (RFC 1035 §3.3)."""
    return [value[start : start + 255] for start in range(0, len(value), 255)]


class _KeyPage:
    """Keys are made when a domain first sends; here they are looked at, and switched off."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    @display(description="DNS record to publish")
    def dns_record(self, key: DkimKey) -> SafeString:
        return shown_record(key)

    @display(
        description="in DNS",
        label={
            "published": "success",
            "differs": "danger",
            "missing": "warning",
            "unknown": "info",
        },
    )
    def in_dns(self, key: DkimKey) -> tuple[str, str]:
        """Ed25519 waits for it, whatever "signs" says."""
        shown = key.get_record_display()
        if key.is_active and key.algorithm != RSA and key.record != DkimKey.Record.PUBLISHED:
            shown += ": signs once published"
        return key.record or "unknown", shown


class DkimKeyInline(_KeyPage, TabularInline):
    """A domain's keys, on its page."""

    model = DkimKey
    extra = 0
    fields = ("selector", "is_active", "dns_record", "in_dns")
    readonly_fields = ("selector", "dns_record", "in_dns")
    can_delete = False
    verbose_name_plural = "DKIM keys: made when the domain first sends"


@admin.register(DkimKey)
class DkimKeyAdmin(_KeyPage, ModelAdmin):
    """All keys."""

    list_display = ("selector", "domain", "algorithm", "is_active", "in_dns", "checked_at")
    actions = ("look_up",)
    list_filter = ("is_active", "domain")
    list_select_related = ("domain",)
    search_fields = ("selector", "domain__name")
    fields = (
        "domain", "selector", "algorithm", "is_active", "dns_record", "in_dns", "checked_at",
        "created_at",
    )  # fmt: skip
    readonly_fields = (
        "domain", "selector", "algorithm", "dns_record", "in_dns", "checked_at", "created_at",
    )  # fmt: skip

    @admin.action(description="Look whether the records are in DNS")
    def look_up(self, request: HttpRequest, queryset: "QuerySet[DkimKey]") -> None:
        """Now, and not at the next hour."""
        keys = list(queryset.values_list("pk", flat=True))
        check_publication(raw_connection(), resolver().look_up_async, keys)
        published = queryset.filter(record=DkimKey.Record.PUBLISHED).count()
        self.message_user(request, f"{published} of {len(keys)} records are in DNS.")


@admin.action(
    description="Make the DKIM keys now that are missing: their DNS records can be published"
)
def make_key(page: Any, request: HttpRequest, queryset: "QuerySet[Domain]") -> None:
    """Keys are made when a domain first sends; the record should stand in its DNS before that."""
    for domain in queryset:
        ensure_keys(raw_connection(), domain.name)
    page.message_user(request, "Every chosen domain has its keys: its page shows their records.")


def _add_to_domain_pages() -> None:
    if DkimKeyInline not in DomainAdmin.inlines:
        DomainAdmin.inlines.append(DkimKeyInline)
        DomainAdmin.actions = (*DomainAdmin.actions, make_key)


_add_to_domain_pages()
