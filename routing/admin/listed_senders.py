"""The admin's page of the block list and the allow list."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from routing.models import ListedSender


@admin.register(ListedSender)
class ListedSenderAdmin(ModelAdmin):
    """Blocked senders are refused; allowed ones pass every policy and are never spam. A change works within seconds."""

    list_display = ("value", "kind", "reason", "expires_at", "hits", "last_hit_at")
    list_filter = ("kind",)
    search_fields = ("value", "reason")
    readonly_fields = ("hits", "last_hit_at")
    fieldsets = (
        (
            None,
            {
                "fields": ("kind", "value", "reason", "expires_at"),
                "description": "A domain or mail address is allowed only where the mail proves that it comes from there "
                "(SPF at RCPT, DMARC for the message): anybody can write a sender's name.",
            },
        ),
        ("Use", {"fields": ("hits", "last_hit_at")}),
    )
