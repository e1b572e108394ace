"""The admin's page of failed logins: who is throttled, and a way to let them in."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from accounts import throttle
from accounts.admin.pages import ReadOnlyAdmin
from accounts.models import LoginFailure


@admin.register(LoginFailure)
class LoginFailureAdmin(ReadOnlyAdmin):
    """One row a source and account; a row without an account counts the source as a whole."""

    list_display = ("source", "whom", "failures", "last_at", "state")
    search_fields = ("source", "account")
    actions = ("forget",)

    @display(description="tried as", ordering="account")
    def whom(self, failure: LoginFailure) -> str:
        return failure.account or "anybody"

    @display(description="now", label={"refused": "danger", "may try": "success"})
    def state(self, failure: LoginFailure) -> str:
        free = throttle.FREE_PER_ACCOUNT if failure.account else throttle.FREE_PER_SOURCE
        wait = throttle.wait_seconds(failure.failures, free)
        age = (timezone.now() - failure.last_at).total_seconds()
        return "refused" if age < wait else "may try"

    @admin.action(description="Forget the failures: let them try again at once")
    def forget(self, request: HttpRequest, queryset: "QuerySet[LoginFailure]") -> None:
        count, _ = queryset.delete()
        self.message_user(request, f"{count} forgotten.")
