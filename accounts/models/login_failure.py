"""Failed logins, counted, so that every process throttles the same source."""

from django.db import models


class LoginFailure(models.Model):
    """Failures of one source with one account, of one source with all, or of one account from all sources.

    `accounts.throttle` says what they cost. Deleting the row lets them in again.
    """

    source = models.CharField(
        max_length=64,
        blank=True,
        help_text="An IPv4 address, or the /64 network of an IPv6 address. Empty: any.",
    )
    account = models.CharField(
        max_length=320, blank=True, help_text="What was typed as the login. Empty: any."
    )
    is_known = models.BooleanField(
        "known network", default=False, help_text="The account has logged in from there before."
    )
    failures = models.IntegerField(default=0)
    last_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = "blocked login"
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "account"], name="one_count_a_source")
        ]

    def __str__(self) -> str:
        return f"{self.failures} from {self.source} as {self.account or 'anybody'}"
