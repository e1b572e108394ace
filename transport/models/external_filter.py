"""Filters of others that are asked about incoming mail: SpamAssassin, rspamd, ClamAV."""

from django.core.exceptions import ValidationError
from django.db import models

from transport.filters.streams import host_and_port, is_socket_path


def validate_filter_address(value: str) -> None:
    """Refuse what is neither `HOST:PORT` nor the path of a socket."""
    if is_socket_path(value):
        return
    try:
        host_and_port(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class ExternalFilter(models.Model):
    """A row of each, from the migration on. How it does is written by the processes that ask it."""

    class Name(models.TextChoices):
        SPAMASSASSIN = "spamassassin", "SpamAssassin"
        RSPAMD = "rspamd", "rspamd"
        CLAMAV = "clamav", "ClamAV"

    name = models.CharField(max_length=20, choices=Name, primary_key=True, editable=False)
    is_on = models.BooleanField("is asked", default=False)
    address = models.CharField(
        max_length=200,
        validators=[validate_filter_address],
        help_text="HOST:PORT, or the path of a socket.",
    )
    teach_address = models.CharField(
        "learns at",
        max_length=200,
        blank=True,
        validators=[validate_filter_address],
        help_text="rspamd's controller. Empty: the same.",
    )
    password_encrypted = models.TextField(blank=True, default="", editable=False)
    is_strict = models.BooleanField(
        "no mail without it",
        default=False,
        help_text="While it does not answer, mail is put off (451) and comes later. Otherwise it comes in unscanned.",
    )
    answered_at = models.DateTimeField("answered last", null=True, editable=False)
    error = models.CharField("last error", max_length=300, blank=True, default="", editable=False)
    error_at = models.DateTimeField("failed last", null=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return str(self.Name(self.name).label)
