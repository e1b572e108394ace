"""The admin's page of blocked logins: who is kept out, until when and why, and a way to let them in at once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Least, Now, Power
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from accounts import throttle
from accounts.admin.pages import ReadOnlyAdmin
from accounts.models import LoginFailure

_LARGEST_POWER = 20  # beyond it the wait is the longest in any case


class Blocked(admin.SimpleListFilter):
    """What is blocked now, unless all is asked for."""

    title = "which"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "all failures of the last hour")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "blocked now"}
        yield from others

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[LoginFailure]"
    ) -> "QuerySet[LoginFailure]":
        if self.value() == "all":
            return queryset.filter(failures__gt=0)
        return queryset.filter(until__gt=Now())  # type: ignore[misc]


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnlyAdmin):
    """A row a source and account; one of them is empty in the counts of all accounts, or of all sources."""

    list_display = ("who", "where", "state", "why")
    list_filter = (Blocked,)
    search_fields = ("source", "account")
    actions = ("unblock",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[LoginFailure]":
        queryset: QuerySet[LoginFailure] = super().get_queryset(request)
        return queryset.annotate(until=_until())

    @display(description="who", ordering="account")
    def who(self, failure: LoginFailure) -> str:
        return failure.account.removesuffix("@") or "anybody"

    @display(description="from", ordering="source")
    def where(self, failure: LoginFailure) -> str:
        if not failure.source:
            return "anywhere but their known networks"
        return f"{failure.source} (known)" if failure.is_known else failure.source

    @display(description="now", ordering="until", label={"blocked": "danger", "free": "success"})
    def state(self, failure: LoginFailure) -> tuple[str, str]:
        until = failure.until  # type: ignore[attr-defined]
        if failure.failures < _free(failure) or until <= timezone.now():
            return "free", "not blocked"
        return "blocked", f"blocked until {timezone.localtime(until):%H:%M:%S}"

    @display(description="why", ordering="failures")
    def why(self, failure: LoginFailure) -> str:
        many = "1 failed login" if failure.failures == 1 else f"{failure.failures} failed logins"
        return f"{many}, the last at {timezone.localtime(failure.last_at):%H:%M:%S}"

    @admin.action(description="Unblock: let them try again at once")
    def unblock(self, request: HttpRequest, queryset: "QuerySet[LoginFailure]") -> None:
        count, _ = queryset.delete()
        self.message_user(request, f"{count} unblocked.")


def _free(failure: LoginFailure) -> int:
    if not failure.source:
        return throttle.FREE_PER_ACCOUNT
    return throttle.FREE_PER_PAIR if failure.account else throttle.FREE_PER_SOURCE


def _until() -> Any:
    """When the wait of `accounts.throttle` ends, in SQL; before the last failure while failures are free."""
    free = Case(
        When(source="", then=Value(throttle.FREE_PER_ACCOUNT)),
        When(account="", then=Value(throttle.FREE_PER_SOURCE)),
        default=Value(throttle.FREE_PER_PAIR),
    )
    longest = Case(
        When(is_known=True, then=Value(float(throttle.LONGEST_WAIT_OF_KNOWN))),
        default=Value(float(throttle.LONGEST_WAIT)),
    )
    doubled = Power(Value(2.0), Least(F("failures") - free, Value(_LARGEST_POWER)))
    seconds = Case(When(failures__lt=free, then=Value(0.0)), default=Least(doubled, longest))
    wait = ExpressionWrapper(seconds * Value(timedelta(seconds=1)), output_field=DurationField())
    return ExpressionWrapper(F("last_at") + wait, output_field=DateTimeField())
