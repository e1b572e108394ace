"""The admin's pages of DKIM keys: the DNS record that each needs, and whether it signs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.admin.domains import DomainAdmin
from transport.models import DkimKey


def record_name(key: DkimKey) -> str:
    """Where the record stands (RFC 6376 §3.6.2.1)."""
    return f"{key.selector}._domainkey.{key.domain.name}"


def record_value(key: DkimKey) -> str:
    """The TXT record (RFC 6376 §3.6.1)."""
    kind = "ed25519" if key.algorithm.startswith("ed25519") else "rsa"
    return f"v=DKIM1; k={kind}; p={key.public_key}"


def shown_record(key: DkimKey) -> SafeString:
    """The record, to be copied into the domain's DNS."""
    return format_html(
        '<div class="font-mono text-xs break-all select-all">{}. IN TXT "{}"</div>',
        record_name(key),
        '" "'.join(_strings(record_value(key))),
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


class DkimKeyInline(_KeyPage, TabularInline):
    """A domain's keys, on its page."""

    model = DkimKey
    extra = 0
    fields = ("selector", "is_active", "dns_record")
    readonly_fields = ("selector", "dns_record")
    can_delete = False
    verbose_name_plural = "DKIM keys: made when the domain first sends"


@admin.register(DkimKey)
class DkimKeyAdmin(_KeyPage, ModelAdmin):
    """All keys."""

    list_display = ("selector", "domain", "algorithm", "is_active", "created_at")
    list_filter = ("is_active", "domain")
    list_select_related = ("domain",)
    search_fields = ("selector", "domain__name")
    fields = ("domain", "selector", "algorithm", "is_active", "dns_record", "created_at")
    readonly_fields = ("domain", "selector", "algorithm", "dns_record", "created_at")


def _add_to_domain_page() -> None:
    inlines: list[type[Any]] = DomainAdmin.inlines
    if DkimKeyInline not in inlines:
        inlines.append(DkimKeyInline)


_add_to_domain_page()
