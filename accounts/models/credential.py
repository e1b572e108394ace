"""Generated secrets: app passwords of users, and the credentials of apps."""

from django.db import models
from django.db.models import Q

from accounts.models.app import App
from accounts.models.user import User


class Credential(models.Model):
    """128 random bits, shown once and kept as their SHA-256.

    A slow hash adds nothing to a secret that cannot be guessed.
    """

    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="credentials"
    )
    app = models.ForeignKey(
        App, null=True, blank=True, on_delete=models.CASCADE, related_name="credentials"
    )
    label = models.CharField(max_length=100, blank=True, help_text="Where it is used.")
    secret_sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    scram_verifier = models.BinaryField(max_length=100, default=bytes, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(user__isnull=False, app__isnull=True)
                    | Q(user__isnull=True, app__isnull=False)
                ),
                name="one_owner_a_credential",
            )
        ]

    def __str__(self) -> str:
        return self.label or f"credential {self.pk}"
