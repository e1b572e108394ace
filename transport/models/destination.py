"""What is set for a next hop of the outbound queue, and whether it was down when it was tried last."""

from django.db import models

ALL = "*"


class Destination(models.Model):
    """A next hop, named as in `QueuedRecipient.next_hop`, or `*`: all outside. One without a row goes its way."""

    next_hop = models.CharField(max_length=300, unique=True)
    is_paused = models.BooleanField(default=False, db_default=False)
    down_until = models.DateTimeField(
        null=True, editable=False, help_text="It could not be reached; not tried again before."
    )
    down_times = models.IntegerField(default=0, db_default=0, editable=False)
    down_status = models.CharField(max_length=12, default="", db_default="", editable=False)
    down_reply = models.TextField(default="", db_default="", editable=False)
    down_host = models.CharField(max_length=300, default="", db_default="", editable=False)

    def __str__(self) -> str:
        return self.next_hop
