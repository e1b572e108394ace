"""Rewritten reverse-paths of forwarded mail."""

from django.db import models

from accounts.models.domain import Domain


class SrsAddress(models.Model):
    """`srs0=<token>@domain` stands for a reverse-path while a message is forwarded outside.

    A table, because an encoded path would not fit the 64 octets of a local part (RFC 5321 §4.5.3.1.1), and a
    random token cannot be forged. A bounce to it goes to `reverse_path`; nothing else may use it.
    """

    token = models.CharField(max_length=32, unique=True)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="srs_addresses")
    reverse_path = models.CharField(max_length=320)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "SRS address"
        verbose_name_plural = "SRS addresses"
        constraints = [
            models.UniqueConstraint(fields=["domain", "reverse_path"], name="one_token_a_path")
        ]

    def __str__(self) -> str:
        return f"srs0={self.token}@{self.domain.name}"
