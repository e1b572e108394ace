"""Hosts that may send with a local domain in MAIL FROM on port 25."""

import ipaddress

from django.core.exceptions import ValidationError
from django.db import models


def validate_network(value: str) -> None:
    """Refuse what is neither an IP address nor a network."""
    try:
        ipaddress.ip_network(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


class AllowedClient(models.Model):
    """An address or a network (CIDR) whose mail is not taken for forged. It may not relay: nobody does on port 25."""

    network = models.CharField(max_length=50, unique=True, validators=[validate_network])
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["network"]

    def __str__(self) -> str:
        return self.network
