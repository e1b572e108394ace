"""The admin's pages of users' address lists, which their scripts ask by name (RFC 6134)."""

from django import forms
from django.contrib import admin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.pages import DirectoryAdmin
from routing.models import AddressList


class AddressListForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = AddressList
        fields = ("mailbox", "name", "members")
        widgets = {"members": UnfoldAdminTextareaWidget(attrs={"rows": 16, "spellcheck": "false"})}
        help_texts = {"name": "As scripts call it: :addrbook:default is the list called so."}


@admin.register(AddressList)
class AddressListAdmin(DirectoryAdmin):
    form = AddressListForm
    list_display = ("name", "owner", "length")
    list_select_related = ("mailbox__user__domain", "mailbox__app__domain")
    search_fields = ("name", "mailbox__name", "mailbox__user__username", "members")
    autocomplete_fields = ("mailbox",)

    @display(description="mailbox", ordering="mailbox__name")
    def owner(self, one: AddressList) -> str:
        return str(one.mailbox.user or one.mailbox.app or one.mailbox.name)

    @display(description="members")
    def length(self, one: AddressList) -> int:
        return len(str(one.members).split())
