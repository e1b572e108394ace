"""The trace of messages, for the admin to read. `accounts.journal.trace` writes it."""

from django.db import models


class TraceEntry(models.Model):
    """One step of one message: what was decided or done, and why. Made in SQL by migration 0002."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField("time")
    trace_id = models.TextField("trace id")
    step = models.TextField()
    result = models.TextField()
    reason = models.TextField(blank=True)
    sender = models.TextField(blank=True)
    recipient = models.TextField(blank=True)
    queue_id = models.BigIntegerField("queue id", null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        managed = False
        db_table = "trace_event"
        verbose_name = "trace event"
        verbose_name_plural = "trace log"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.trace_id} {self.step}: {self.result}"
