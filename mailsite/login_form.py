"""The admin's login form. Apart from `mailsite.admin`: unfold imports it before there is a site to register with."""

from typing import Any

from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm

from accounts.admin_login import seconds_to_wait


class LoginForm(AuthenticationForm):
    """Says what it asks for, and that it is the failures when nothing was checked because of them."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.fields["username"].label = "Address, or username in the default domain"

    def get_invalid_login_error(self) -> ValidationError:
        wait = seconds_to_wait(self.request)
        if wait:
            return ValidationError(
                f"Too many failed logins. Nothing was checked: try again in {wait} s."
            )
        error: ValidationError = super().get_invalid_login_error()
        return error
