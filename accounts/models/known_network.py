"""Where the users and apps of this installation log in from."""

from django.db import models
from django.db.models import Q

from accounts.models.app import App
from accounts.models.user import User


class KnownNetwork(models.Model):
    """An account has logged in from this network: attacks from elsewhere do not shut it out there.

    `accounts.login_record` writes it, once a day and network, and forgets what is not used.
    """

    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="known_networks"
    )
    app = models.ForeignKey(
        App, null=True, blank=True, on_delete=models.CASCADE, related_name="known_networks"
    )
    network = models.CharField(
        max_length=64, help_text="An IPv4 address, or the /64 network of an IPv6 address."
    )
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(user__isnull=False, app__isnull=True)
                    | Q(user__isnull=True, app__isnull=False)
                ),
                name="one_owner_a_network",
            ),
            models.UniqueConstraint(
                fields=["user", "app", "network"],
                name="one_row_a_network",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.network
