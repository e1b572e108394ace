"""The admin's pages of aliases, and the inline of them on a user's page."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet

from accounts.addresses import canonical_local_part
from accounts.admin.pages import AddressForm, DirectoryAdmin
from accounts.models import Alias


class AliasForm(AddressForm):
    """One alias."""

    class Meta:
        model = Alias
        fields = ("local_part", "domain", "user")
        help_texts = {"local_part": "The part before the @."}


class AliasFormSet(PaginationInlineFormSet):
    """The aliases of one user: the same address twice is explained too."""

    def clean(self) -> None:
        super().clean()
        seen = set()
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            if not cleaned or cleaned.get("DELETE"):
                continue
            key = (cleaned.get("domain"), canonical_local_part(cleaned.get("local_part") or ""))
            if key in seen:
                raise ValidationError(f"{key[1]}@{key[0]} stands here twice.")
            seen.add(key)


class AliasInline(TabularInline):
    """Further addresses of a user."""

    model = Alias
    form = AliasForm
    formset = AliasFormSet
    fk_name = "user"
    fields = ("local_part", "domain")
    extra = 0
    hide_title = True
    verbose_name_plural = "aliases: further addresses, in any domain; none of them is a login"


@admin.register(Alias)
class AliasAdmin(DirectoryAdmin):
    """All aliases."""

    form = AliasForm
    list_display = ("address", "user", "domain")
    list_filter = ("domain",)
    list_select_related = ("domain", "user__domain")
    search_fields = ("local_part", "domain__name", "user__username", "user__full_name")
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alias]:
        queryset: QuerySet[Alias] = super().get_queryset(request)
        return queryset.select_related("domain", "user__domain")

    @display(description="address", ordering="local_part")
    def address(self, alias: Any) -> str:
        return str(alias)
