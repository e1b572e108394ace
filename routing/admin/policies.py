"""The admin's page of the policies of port 25: what each does, and whether it is on."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from routing.models import PolicySetting
from routing.policies.framework import policies


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of the list. Where a policy has no number, none can be entered."""

    class Meta:
        model = PolicySetting
        fields = ("mode", "number")

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        policy = policies().get(self.instance.name)
        if policy is None or not policy.number_means:
            self.fields["number"].disabled = True
            self.fields["number"].widget = forms.HiddenInput()


@admin.register(PolicySetting)
class PolicyAdmin(ModelAdmin):
    """One row a policy. A change works within seconds."""

    list_display = ("title", "does", "mode", "number", "default")
    list_editable = ("mode", "number")
    list_display_links = None
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PolicySetting]:
        """A row for every policy there is; those of policies that are gone stay hidden."""
        known = policies()
        PolicySetting.objects.bulk_create(
            [
                PolicySetting(name=name, mode=one.default_mode, number=one.number or None)
                for name, one in known.items()
            ],
            ignore_conflicts=True,
        )
        rows: QuerySet[PolicySetting] = super().get_queryset(request).filter(name__in=known)
        return rows

    @display(description="policy", ordering="name", header=False)
    def title(self, one: PolicySetting) -> str:
        return policies()[one.name].title

    @display(description="what it does")
    def does(self, one: PolicySetting) -> str:
        return policies()[one.name].does

    @display(description="as it comes")
    def default(self, one: PolicySetting) -> Any:
        policy = policies()[one.name]
        mode = PolicySetting.Mode(policy.default_mode).label
        return f"{mode}; {policy.number} {policy.number_means}" if policy.number_means else mode

    def get_changelist_form(self, request: HttpRequest, **keywords: Any) -> Any:
        return super().get_changelist_form(request, **{**keywords, "form": PolicyForm})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
