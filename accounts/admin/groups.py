"""The admin's pages of groups, with their members."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.pages import AddressForm, DirectoryAdmin
from accounts.membership import member_of_address, why_not_member
from accounts.models import Group, GroupMember
from accounts.namespace import Conflict


class GroupForm(AddressForm):
    """One group."""

    name_field = "name"

    class Meta:
        model = Group
        fields = ("name", "domain", "description")
        help_texts = {"name": "The part before the @ of the group's address."}


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """One member, typed as an address."""

    address = forms.CharField(
        max_length=320,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "ann@example.org"}),
    )

    class Meta:
        model = GroupMember
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["address"] = self.fields["address"].initial = str(self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        address, group = cleaned.get("address"), self.instance.group
        if not address:
            return cleaned
        try:
            member = member_of_address(group, address)
        except Conflict as conflict:
            self.add_error("address", str(conflict))
            return cleaned
        member.pk = self.instance.pk
        explanation = why_not_member(member)
        if explanation:
            self.add_error("address", explanation)
        else:
            self.instance.user = member.user
            self.instance.member_group = member.member_group
            self.instance.outside_address = member.outside_address
        return cleaned


class MemberFormSet(PaginationInlineFormSet):
    """The members of one group: whoever stands there twice is explained."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.group = self.instance
        return form

    def clean(self) -> None:
        super().clean()
        seen = set()
        for form in self.forms:
            cleaned = getattr(form, "cleaned_data", {})
            if not cleaned or cleaned.get("DELETE") or form.errors:
                continue
            member = form.instance
            key = (member.user_id, member.member_group_id, member.outside_address.casefold())
            if key in seen:
                raise ValidationError(f"{member} stands here twice.")
            seen.add(key)


class MemberInline(TabularInline):
    """Whom the group reaches."""

    model = GroupMember
    form = MemberForm
    formset = MemberFormSet
    fk_name = "group"
    fields = ("address", "kind")
    readonly_fields = ("kind",)
    extra = 0
    hide_title = True
    verbose_name = "member"
    verbose_name_plural = "members: users and groups by any address here, or addresses elsewhere"

    def get_queryset(self, request: HttpRequest) -> QuerySet[GroupMember]:
        queryset: QuerySet[GroupMember] = super().get_queryset(request)
        return queryset.select_related("user__domain", "member_group__domain")

    @display(description="is")
    def kind(self, member: GroupMember) -> str:
        if not member.pk:
            return ""
        if member.user is not None:
            return "a user" if member.user.is_active else "a user, disabled: left out"
        return "a group" if member.member_group is not None else "an address elsewhere"


class MembershipInline(TabularInline):
    """The groups of a user, on the user's page."""

    model = GroupMember
    fk_name = "user"
    fields = ("group",)
    autocomplete_fields = ("group",)
    extra = 0
    hide_title = True
    verbose_name = "group"
    verbose_name_plural = "groups"


@admin.register(Group)
class GroupAdmin(DirectoryAdmin):
    """All groups."""

    form = GroupForm
    list_display = ("group_address", "description", "domain", "member_count")
    list_filter = ("domain",)
    search_fields = ("name", "domain__name", "description")
    inlines = (MemberInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        queryset: QuerySet[Group] = super().get_queryset(request)
        return queryset.select_related("domain").annotate(member_total=Count("members"))

    @display(description="address", ordering="name")
    def group_address(self, group: Group) -> str:
        return group.address

    @display(description="members", ordering="member_total")
    def member_count(self, group: Any) -> int:
        return int(group.member_total)
