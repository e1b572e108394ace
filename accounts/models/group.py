"""Groups: one address that reaches many."""

from django.db import models
from django.db.models import Q

from accounts.models.domain import Domain
from accounts.models.fields import LocalPartField
from accounts.models.user import User


class Group(models.Model):
    """`name@domain` reaches every member."""

    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="groups")
    name = LocalPartField()
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["domain__name", "name"]
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="one_group_a_name")]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        return f"{self.name}@{self.domain.name}"


class GroupMember(models.Model):
    """A member: a user, another group, or an address outside."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.CASCADE, related_name="memberships"
    )
    member_group = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.CASCADE, related_name="member_of"
    )
    outside_address = models.CharField(max_length=320, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(user__isnull=False, member_group__isnull=True, outside_address="")
                    | Q(user__isnull=True, member_group__isnull=False, outside_address="")
                    | (Q(user__isnull=True, member_group__isnull=True) & ~Q(outside_address=""))
                ),
                name="one_kind_of_member",
            ),
            models.UniqueConstraint(fields=["group", "user"], name="each_user_once"),
            models.UniqueConstraint(fields=["group", "member_group"], name="each_group_once"),
            models.UniqueConstraint(
                fields=["group", "outside_address"],
                condition=~Q(outside_address=""),
                name="each_outside_address_once",
            ),
            models.CheckConstraint(
                condition=Q(member_group__isnull=True) | ~Q(member_group=models.F("group")),
                name="no_group_in_itself",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.member_group or self.outside_address)
