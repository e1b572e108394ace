"""Transactions that were accepted lately, so that one whose 250 was lost is not carried out twice."""

from django.db import models


class AcceptedTransaction(models.Model):
    """One mail transaction: client, envelope and bytes as a fingerprint, and the id that its 250 named.

    Written in the transaction that stores the message. Kept for an hour, or until the client shows that it heard.
    """

    fingerprint = models.BinaryField(primary_key=True, max_length=32)
    trace_id = models.CharField(max_length=40)
    accepted_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.trace_id
