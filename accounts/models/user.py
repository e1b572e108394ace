"""Users: people who log in, in the admin and with a mail client."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models

from accounts.addresses import AddressSyntaxError, parse_address
from accounts.models.domain import Domain
from accounts.models.fields import LocalPartField, ScoreField
from accounts.models.sending import SendingLimits
from accounts.scram import make_verifier, new_salt
from accounts.secrets import stamp_of

if TYPE_CHECKING:
    from accounts.models.mailbox import Mailbox


class UserManager(BaseUserManager["User"]):
    """Finds users by what they log in with."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user of a full address, or of a bare username in the default domain."""
        text = username or ""
        if "@" not in text:
            return self.get(username=text, domain__is_default=True)
        try:
            address = parse_address(text)
        except AddressSyntaxError:
            raise self.model.DoesNotExist from None
        return self.get(username=address.local_part, domain__name=address.domain)


class User(SendingLimits, AbstractBaseUser):
    """A person. The primary address is `username@domain`; the database keeps its row in Address.

    An administrator may do everything in the admin, anybody else nothing: there are no finer permissions.
    """

    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="users")
    username = LocalPartField("username")
    full_name = models.CharField("full name", max_length=200, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="While off, mail is refused and every login fails."
    )
    is_staff = models.BooleanField(
        "administrator", default=False, help_text="May log in to this site, and change everything."
    )
    spam_threshold = ScoreField(
        null=True,
        blank=True,
        help_text="A message with this score or more is filed in Spam. Empty: as the domain has it.",
    )
    refuse_threshold = ScoreField(
        null=True,
        blank=True,
        help_text="A message with this score or more is refused. Empty: as the domain has it.",
    )
    filter_spam_too = models.BooleanField(
        "scripts see spam",
        default=False,
        db_default=False,
        help_text="The user's Sieve script runs on spam as well, and decides where it goes. While off, the server files "
        "it in Spam.",
    )
    scram_salt = models.BinaryField(max_length=16, default=new_salt, editable=False)
    scram_verifier = models.BinaryField(max_length=100, default=bytes, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    mailbox: "Mailbox"

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["domain"]

    class Meta:
        ordering = ["username", "domain__name"]
        constraints = [
            models.UniqueConstraint(fields=["domain", "username"], name="one_user_an_address")
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """The primary address."""
        return f"{self.username}@{self.domain.name}"

    def set_password(self, raw_password: str | None) -> None:
        """The hash, and what SCRAM checks. A hash that is set in another way leaves a void verifier behind."""
        super().set_password(raw_password)
        verifier = raw_password and make_verifier(
            raw_password, bytes(self.scram_salt), stamp_of(self.password)
        )
        self.scram_verifier = verifier.to_bytes() if verifier else b""

    def get_full_name(self) -> str:
        return self.full_name or self.address

    def get_short_name(self) -> str:
        return str(self.username)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff

    def natural_key(self) -> tuple[Any, ...]:
        return (self.address,)
