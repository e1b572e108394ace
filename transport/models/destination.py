"""What is set for a next hop of the outbound queue."""

from django.db import models

ALL = "*"


class Destination(models.Model):
    """A next hop, named as in `QueuedRecipient.next_hop`, or `*`: all outside. One without a row goes its way."""

    next_hop = models.CharField(max_length=300, unique=True)
    is_paused = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return self.next_hop
