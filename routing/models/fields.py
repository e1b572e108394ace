"""Model fields of Sieve scripts: their names, their text, and the digest under which a process knows its program."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func

from routing.scripts.names import NAME_MAXIMUM, ScriptNameInvalid, script_name


def validate_script_name(value: str) -> None:
    try:
        script_name(value)
    except ScriptNameInvalid as error:
        raise ValidationError(str(error)) from None


class ScriptNameField(models.CharField):  # type: ignore[type-arg]
    """A script's name, stored as it is compared."""

    default_validators = [validate_script_name]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", NAME_MAXIMUM)
        super().__init__(*args, **kwargs)

    def get_prep_value(self, value: Any) -> Any:
        try:
            return script_name(value)
        except (ScriptNameInvalid, TypeError):  # a part of a name that somebody searches for
            return super().get_prep_value(value)


def digest_field() -> models.GeneratedField:
    """SHA-256 of `content`, computed by the database: no writer forgets it."""
    return models.GeneratedField(
        expression=Func(F("content"), function="sha256"),
        output_field=models.BinaryField(),
        db_persist=True,
    )
