"""How much users and apps may send, and how much they have sent: an hour and a day."""

from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.allowances import LIMITS
from accounts.entries import UNLIMITED

COUNTS = ("hour_messages", "hour_recipients", "day_messages", "day_recipients")


class LimitFormField(forms.Field):
    """A number, the word "unlimited", or nothing."""

    def prepare_value(self, value: Any) -> Any:
        return "unlimited" if value == UNLIMITED else value

    def to_python(self, value: Any) -> int | None:
        text = str(value if value is not None else "").strip().lower()
        if not text:
            return None
        if text == "unlimited":
            return UNLIMITED
        if text.isascii() and text.isdigit() and 0 < int(text[:10]) < UNLIMITED and len(text) <= 10:
            return int(text)
        raise forms.ValidationError('Write a number from 1 on, or "unlimited".')

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != (data or None))


class LimitField(models.IntegerField):  # type: ignore[type-arg]
    """A limit; None: as the next one above has it."""

    default_validators = [MinValueValidator(1), MaxValueValidator(UNLIMITED)]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"null": True, "blank": True} | kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        return models.Field.formfield(self, **kwargs | {"form_class": LimitFormField})


class SendingLimits(models.Model):
    """The columns of whoever has limits of sending."""

    messages_an_hour = LimitField()
    recipients_an_hour = LimitField()
    messages_a_day = LimitField()
    recipients_a_day = LimitField()

    class Meta:
        abstract = True


class SendingCount(models.Model):
    """What one user or app has sent, or (`by_scripts`) their filters. `accounts.sending` writes it; deleting it begins anew.

    An hour begins with the first message after the last hour ended, and so does a day. The limits are those that the
    last message was measured by: the constraints keep the counts below them, whoever counts at the same time.

    `clients`: where the mail of this day came from. `refused`, of this day, and the rest say what the limits kept back:
    `full_until` is when they are free again, `told_until` that of which the administrator was told.
    """

    user = models.ForeignKey("User", null=True, on_delete=models.CASCADE, related_name="+")
    app = models.ForeignKey("App", null=True, on_delete=models.CASCADE, related_name="+")
    by_scripts = models.BooleanField(db_default=False)
    hour_began = models.DateTimeField()
    hour_messages = models.IntegerField()
    hour_recipients = models.IntegerField()
    day_began = models.DateTimeField()
    day_messages = models.IntegerField()
    day_recipients = models.IntegerField()
    messages_an_hour = models.IntegerField()
    recipients_an_hour = models.IntegerField()
    messages_a_day = models.IntegerField()
    recipients_a_day = models.IntegerField()
    clients = ArrayField(models.TextField(), db_default=[])
    refused = models.IntegerField(db_default=0)
    refused_at = models.DateTimeField(null=True)
    refusal = models.TextField(db_default="")
    full_until = models.DateTimeField(null=True)
    told_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "sending limit"
        constraints = [
            *(
                models.CheckConstraint(condition=Q(**{f"{count}__lte": F(limit)}), name=limit)
                for count, limit in zip(COUNTS, LIMITS, strict=True)
            ),
            models.CheckConstraint(
                condition=(
                    Q(user__isnull=False, app__isnull=True)
                    | Q(user__isnull=True, app__isnull=False)
                ),
                name="one_sender_a_count",
            ),
            models.UniqueConstraint(fields=["user", "by_scripts"], name="one_count_a_user"),
            models.UniqueConstraint(fields=["app", "by_scripts"], name="one_count_an_app"),
        ]

    def __str__(self) -> str:
        return str(self.user or self.app)
