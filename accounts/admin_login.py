"""Logs administrators in to the web admin, behind the same throttle as every other login."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest

from accounts.authentication import verify_password
from accounts.entries import Login, LoginRefused
from accounts.models import User

CONSOLE = "console"  # stands for the source when there is no request
_WAIT = "mailsite.login.wait"


def seconds_to_wait(request: HttpRequest | None) -> int:
    """How long the login of this request was told to wait; 0 when it was checked."""
    return int(request.META.get(_WAIT, 0)) if request is not None else 0


class AdminBackend(BaseBackend):
    """Full address or bare username, and the account's own password: app passwords are for mail programs."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        """The user; None when the login fails. Django's forms ask for staff themselves."""
        if not username or not password:
            return None
        source = request.META.get("REMOTE_ADDR", CONSOLE) if request is not None else CONSOLE
        connection.ensure_connection()
        login = verify_password(connection.connection, username, password, source)
        if isinstance(login, LoginRefused) and request is not None:
            request.META[_WAIT] = login.retry_after
        if not isinstance(login, Login) or login.kind != "user" or login.credential_id is not None:
            raise PermissionDenied  # ends Django's round of backends
        return self.get_user(login.account_id)

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, while active."""
        return User.objects.select_related("domain").filter(pk=user_id, is_active=True).first()
