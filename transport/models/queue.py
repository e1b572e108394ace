"""The outbound queue: one row a message, one a recipient. The rows are the truth; Celery is the wake-up."""

from django.db import models


class QueuedMessage(models.Model):
    """A message on its way out. It refers to its blob (mail_blob, RESTRICT) by `blob_id`; migration 0002 makes the key.

    What is sent is `prefix` + blob; a signature is made when the message is queued and stands in the prefix.
    """

    trace_id = models.CharField(max_length=40, db_index=True)
    blob_id = models.BigIntegerField()
    prefix = models.BinaryField(default=b"")
    size = models.BigIntegerField()
    reverse_path = models.CharField(max_length=320, blank=True, help_text="Empty: the null path.")
    domain_name = models.CharField(
        max_length=255, help_text="The local domain that sends; its relay is used."
    )
    login = models.CharField(max_length=320, blank=True)
    ret = models.CharField(max_length=4, blank=True)  # RFC 3461 §4.3
    envid = models.CharField(max_length=100, blank=True)  # RFC 3461 §4.4
    body = models.CharField(max_length=10, blank=True)  # 7BIT, 8BITMIME, BINARYMIME
    smtputf8 = models.BooleanField(default=False)
    require_tls = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.trace_id} from <{self.reverse_path}>"


class QueuedRecipient(models.Model):
    """One recipient, until it is delivered, given up or taken out; `lease_token` is held by the one who tries."""

    class State(models.TextChoices):
        WAITING = "waiting"
        HELD = "held"
        DELIVERED = "delivered"
        FAILED = "failed"
        CANCELLED = "cancelled"

    message = models.ForeignKey(QueuedMessage, on_delete=models.CASCADE, related_name="recipients")
    forward_path = models.CharField(max_length=320)
    next_hop = models.CharField(
        max_length=300,
        help_text="What is claimed together: the recipient's domain, relay:ID, or local:.",
    )
    notify = models.CharField(max_length=40, blank=True)  # RFC 3461 §4.1
    orcpt = models.CharField(max_length=500, blank=True)  # RFC 3461 §4.2
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_status = models.CharField(max_length=12, blank=True)  # RFC 3463
    last_reply = models.TextField(blank=True)
    last_host = models.CharField(max_length=300, blank=True)
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    delay_notified = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_hop", "next_attempt_at"],
                condition=models.Q(state="waiting"),
                name="queue_due_by_hop",
            ),
        ]

    def __str__(self) -> str:
        return self.forward_path
