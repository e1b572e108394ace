"""The admin's pages of domains."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display

from accounts import people
from accounts.admin.pages import DirectoryAdmin
from accounts.admin.sending import LIMITS_FIELDSET
from accounts.allowances import LIMITS
from accounts.models import Domain


class DomainForm(ModelForm):  # type: ignore[type-arg]
    """One domain. That another is the default is no error: saving takes that from it."""

    class Meta:
        model = Domain
        fields = (
            "name",
            "mail_enabled",
            "is_default",
            "catch_all",
            "validate_app_from",
            "spam_threshold",
            "refuse_threshold",
            "refuse_dmarc_failures",
            "refuse_when_full",
            *LIMITS,
        )
        help_texts = {
            "validate_app_from": "Apps may write only their own address into From. While off, any address but those of "
            "our other domains that check it.",
        }

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


@admin.register(Domain)
class DomainAdmin(DirectoryAdmin):
    """What is local. `transport` adds its inlines here."""

    form = DomainForm
    list_display = (
        "name",
        "mail_enabled",
        "is_default",
        "users_count",
        "groups_count",
        "apps_count",
        "catch_all_count",
    )
    list_filter = ("mail_enabled", "is_default")
    search_fields = ("name",)
    autocomplete_fields = ("catch_all",)
    fieldsets = (
        (None, {"fields": ("name", "mail_enabled", "is_default")}),
        ("Unknown addresses", {"fields": ("catch_all",)}),
        ("Full mailboxes", {"fields": ("refuse_when_full",)}),
        ("Apps", {"fields": ("validate_app_from",)}),
        LIMITS_FIELDSET,
        (
            "Spam",
            {"fields": (("spam_threshold", "refuse_threshold"), "refuse_dmarc_failures")},
        ),
    )
    inlines: list[type[Any]] = []
    actions: tuple[Any, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Domain]:
        queryset: QuerySet[Domain] = super().get_queryset(request)
        return queryset.annotate(
            user_total=Count("users", distinct=True),
            group_total=Count("groups", distinct=True),
            app_total=Count("apps", distinct=True),
            catch_all_total=Count("catch_all", distinct=True),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Domain | None = None
    ) -> tuple[str, ...]:
        """A domain keeps its name: every address, signature and DNS record is made of it."""
        return ("name",) if obj else ()

    def save_model(
        self, request: HttpRequest, obj: Domain, form: "ModelForm[Domain]", change: bool
    ) -> None:
        people.save_domain(obj)

    @display(description="users", ordering="user_total")
    def users_count(self, domain: Any) -> int:
        return int(domain.user_total)

    @display(description="groups", ordering="group_total")
    def groups_count(self, domain: Any) -> int:
        return int(domain.group_total)

    @display(description="apps", ordering="app_total")
    def apps_count(self, domain: Any) -> int:
        return int(domain.app_total)

    @display(description="catch-all", ordering="catch_all_total")
    def catch_all_count(self, domain: Any) -> str:
        count = int(domain.catch_all_total)
        return f"{count} mailbox{'' if count == 1 else 'es'}" if count else "refused"
