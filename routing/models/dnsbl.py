"""The DNS block lists that are asked about clients on port 25."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.addresses import AddressSyntaxError, canonical_domain
from routing.policies.dnsbl_zones import parse_codes


def validate_zone(value: str) -> None:
    try:
        canonical_domain(value)
    except AddressSyntaxError as error:
        raise ValidationError(str(error)) from None


def validate_codes(value: str) -> None:
    try:
        parse_codes(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class DnsblZone(models.Model):
    """`problem` is what went wrong when it was last asked in vain."""

    zone = models.CharField(max_length=200, unique=True, validators=[validate_zone])
    is_active = models.BooleanField("asked", default=True)
    points = models.FloatField(
        default=4,
        validators=[MinValueValidator(-20), MaxValueValidator(20)],
        help_text="What a listing counts where no code below says otherwise. 8 points refuse a client.",
    )
    codes = models.TextField(
        blank=True,
        validators=[validate_codes],
        help_text="What single answers mean, one a line: 127.0.0.4-7 10 exploited hosts. Empty: every answer is a listing.",
    )
    hits = models.BigIntegerField(default=0, db_default=0, editable=False)
    last_hit_at = models.DateTimeField("last hit", null=True, editable=False)
    problem = models.CharField(max_length=300, blank=True, db_default="", editable=False)
    problem_at = models.DateTimeField("problem seen", null=True, editable=False)

    class Meta:
        verbose_name = "DNS block list"
        ordering = ["zone"]

    def __str__(self) -> str:
        return str(self.zone)
