"""The admin's page of the outbound queue: what waits, why, and until when."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.admin.pages import ReadOnlyAdmin, human_size
from accounts.people import raw_connection
from transport.models import QueuedRecipient
from transport.notifier import publish_now
from transport.queue import operations, wakeups


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
    ordering = ("-state", "next_attempt_at")  # what waits comes first
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
    actions = ("retry_now", "hold", "release", "return_to_sender", "cancel")

    @admin.action(description="Try again now")
    def retry_now(self, request: HttpRequest, queryset: "QuerySet[QueuedRecipient]") -> None:
        next_hops = operations.try_now(raw_connection(), _ids(queryset)).next_hops
        wakeups.wake(next_hops)
        self.message_user(request, f"To {len(next_hops)} next hops it is tried again now.")

    @admin.action(description="Hold: do not try until released")
    def hold(self, request: HttpRequest, queryset: "QuerySet[QueuedRecipient]") -> None:
        count = len(operations.hold(raw_connection(), _ids(queryset)).ids)
        self.message_user(request, f"{count} held.")

    @admin.action(description="Release what is held: try now")
    def release(self, request: HttpRequest, queryset: "QuerySet[QueuedRecipient]") -> None:
        released = operations.release(raw_connection(), _ids(queryset))
        wakeups.wake(released.next_hops)
        self.message_user(request, f"{len(released.ids)} released.")

    @admin.action(description="Give up: return to the sender with a report")
    def return_to_sender(self, request: HttpRequest, queryset: "QuerySet[QueuedRecipient]") -> None:
        db = raw_connection()
        returned = operations.return_to_sender(db, _ids(queryset))
        publish_now(db, returned.folders)
        wakeups.wake(returned.next_hops)
        self.message_user(request, f"{len(returned.ids)} given up.")

    @admin.action(description="Take out of the queue: the sender is told nothing")
    def cancel(self, request: HttpRequest, queryset: "QuerySet[QueuedRecipient]") -> None:
        count = len(operations.delete(raw_connection(), _ids(queryset)).ids)
        self.message_user(request, f"{count} taken out.")

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
            QueuedRecipient.State.HELD.value: "info",
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


def _ids(queryset: "QuerySet[QueuedRecipient]") -> list[int]:
    return list(queryset.values_list("pk", flat=True))
