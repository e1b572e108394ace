"""The one namespace of local addresses."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models.app import App
from accounts.models.domain import Domain
from accounts.models.fields import LocalPartField
from accounts.models.group import Group
from accounts.models.user import User


class Address(models.Model):
    """Every local address, one row each, so that no two of any kind can conflict.

    The primary rows of users, groups and apps are written by database triggers (migration 0002), whichever
    code changes the owner. A row with a user and without `is_primary` is an alias.
    """

    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="addresses")
    local_part = LocalPartField("address")
    is_primary = models.BooleanField(default=False, editable=False)
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="addresses"
    )
    group = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.CASCADE, related_name="addresses"
    )
    app = models.ForeignKey(
        App, null=True, blank=True, on_delete=models.CASCADE, related_name="addresses"
    )

    class Meta:
        verbose_name_plural = "addresses"
        ordering = ["domain__name", "local_part"]
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "local_part"],
                name="one_owner_an_address",
                violation_error_message="This address is taken.",
            ),
            models.CheckConstraint(
                condition=(
                    Q(user__isnull=False, group__isnull=True, app__isnull=True)
                    | Q(user__isnull=True, group__isnull=False, app__isnull=True)
                    | Q(user__isnull=True, group__isnull=True, app__isnull=False)
                ),
                name="one_kind_of_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain.name}"


class AliasManager(models.Manager["Alias"]):
    """Only the rows that are aliases."""

    def get_queryset(self) -> models.QuerySet["Alias"]:
        return super().get_queryset().filter(is_primary=False, user__isnull=False)


class Alias(Address):
    """A further address of a user, in any local domain."""

    objects: ClassVar[AliasManager] = AliasManager()

    class Meta:
        proxy = True
        verbose_name = "alias"
        verbose_name_plural = "aliases"
