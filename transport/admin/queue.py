"""The admin's page of the outbound queue: what waits, why, and until when."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin.pages import ReadOnlyAdmin, human_size
from transport.models import QueuedRecipient


@admin.register(QueuedRecipient)
class QueueAdmin(ReadOnlyAdmin):
    """One row a recipient. Workers change the rows; here they are looked at, and nudged by actions."""

    list_display = (
        "forward_path",
        "sender",
        "state_shown",
        "attempts",
        "next_attempt_at",
        "last_reply_shown",
        "size",
    )
    list_filter = ("state",)
    list_select_related = ("message",)
    search_fields = ("forward_path", "message__reverse_path", "message__trace_id", "next_hop")
    date_hierarchy = None
    ordering = ("next_attempt_at",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("forward_path", "state"),
                    ("sender", "login"),
                    ("trace_id", "size"),
                    "next_hop",
                )
            },
        ),
        (
            "Attempts",
            {
                "fields": (
                    ("attempts", "last_attempt_at"),
                    ("next_attempt_at", "lease_until"),
                    ("last_host", "last_status"),
                    "last_reply",
                )
            },
        ),
        ("As the sender asked", {"fields": (("notify", "orcpt"),)}),
    )
    readonly_fields = ("sender", "login", "trace_id", "size")

    @display(description="from", ordering="message__reverse_path")
    def sender(self, recipient: QueuedRecipient) -> str:
        return recipient.message.reverse_path or "<>"

    @display(description="login")
    def login(self, recipient: QueuedRecipient) -> str:
        return recipient.message.login

    @display(description="trace id")
    def trace_id(self, recipient: QueuedRecipient) -> str:
        return recipient.message.trace_id

    @display(description="size", ordering="message__size")
    def size(self, recipient: QueuedRecipient) -> str:
        return human_size(recipient.message.size)

    @display(
        description="state",
        ordering="state",
        label={
            QueuedRecipient.State.WAITING.value: "warning",
            QueuedRecipient.State.DELIVERED.value: "success",
            QueuedRecipient.State.FAILED.value: "danger",
            QueuedRecipient.State.CANCELLED.value: "danger",
        },
    )
    def state_shown(self, recipient: QueuedRecipient) -> str:
        return recipient.state

    @display(description="last answer")
    def last_reply_shown(self, recipient: QueuedRecipient) -> str:
        reply = " ".join(recipient.last_reply.split())
        return reply if len(reply) <= 80 else f"{reply[:79]}…"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)
