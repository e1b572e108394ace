"""The models that judge mail by what users taught. Made in SQL by migration 0005; `routing.spam_models` keeps them."""

from django.db import models

from accounts.models import Domain, Mailbox


class SpamModel(models.Model):
    """A domain's model, or a mailbox's personal layer on it."""

    id = models.BigIntegerField(primary_key=True)
    domain = models.OneToOneField(
        Domain, null=True, on_delete=models.DO_NOTHING, related_name="spam_model"
    )
    mailbox = models.OneToOneField(
        Mailbox, null=True, on_delete=models.DO_NOTHING, related_name="spam_model"
    )
    spam = models.IntegerField("spam learned", default=0)
    ham = models.IntegerField("ham learned", default=0)
    trained_at = models.DateTimeField("last trained", null=True)

    class Meta:
        managed = False
        db_table = "routing_spam_model"
        verbose_name = "spam model"
        ordering = ["mailbox__name", "domain__name"]

    def __str__(self) -> str:
        return str(self.domain or self.mailbox)
