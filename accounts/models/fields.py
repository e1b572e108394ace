"""Model fields that hold what `accounts.addresses` calls canonical."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from accounts.addresses import (
    LOCAL_PART_MAXIMUM,
    SRS_PREFIX,
    SUBADDRESS_SEPARATOR,
    AddressSyntaxError,
    canonical_domain,
    canonical_local_part,
    check_local_part,
)


def validate_local_part(value: str) -> None:
    """Refuse what is no local part, and names that hold `+`, which begins a tag."""
    try:
        check_local_part(value)
    except AddressSyntaxError as error:
        raise ValidationError(str(error)) from None
    if SUBADDRESS_SEPARATOR in value:
        raise ValidationError(
            f"{value!r} holds a {SUBADDRESS_SEPARATOR}, which begins a tag: no name has one"
        )
    if canonical_local_part(value).startswith(SRS_PREFIX):
        raise ValidationError(
            f"{SRS_PREFIX} begins the addresses of forwarded mail: no name has it"
        )


def validate_domain(value: str) -> None:
    """Refuse what is no domain name."""
    try:
        canonical_domain(value)
    except AddressSyntaxError as error:
        raise ValidationError(str(error)) from None


class LocalPartField(models.CharField):  # type: ignore[type-arg]
    """A local part, stored as it is compared."""

    default_validators = [validate_local_part]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LOCAL_PART_MAXIMUM)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return canonical_local_part(value.strip()) if value else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(value)


class ScoreField(models.FloatField):  # type: ignore[type-arg]
    """A score from which on something is done with a message. Whatever speaks for spam adds to it."""

    default_validators = [MinValueValidator(0.1), MaxValueValidator(1000)]


class DomainNameField(models.CharField):  # type: ignore[type-arg]
    """A domain name, stored as lower-case A-labels."""

    default_validators = [validate_domain]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 255)
        super().__init__(*args, **kwargs)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        if not value:
            return value
        try:
            return canonical_domain(value)
        except AddressSyntaxError as error:
            raise ValidationError(str(error)) from None

    def get_prep_value(self, value: Any) -> Any:
        try:
            return self.to_python(value)
        except ValidationError:  # a part of a name that somebody searches for
            return str(value).strip().lower()
