"""The forms of a user's pages."""

from typing import Any

from django import forms
from unfold.forms import UserChangeForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminPasswordWidget

from accounts.admin.pages import BYTES_PER_MEGABYTE, AddressForm
from accounts.allowances import LIMITS
from accounts.models import User


class QuotaField(forms.IntegerField):
    """A quota in megabytes; empty is no limit."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "Quota in MB")
        kwargs.setdefault("help_text", "Empty: no limit.")
        super().__init__(
            required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget(), **kwargs
        )

    def clean(self, value: Any) -> Any:
        """Bytes."""
        megabytes = super().clean(value)
        return None if megabytes is None else megabytes * BYTES_PER_MEGABYTE


class NewUserForm(AddressForm):
    """A user to be: with a password, typed twice."""

    name_field = "username"
    password1 = forms.CharField(
        label="Password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label="Password again",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    quota = QuotaField()

    class Meta:
        model = User
        fields = ("username", "domain", "full_name", "is_staff")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("password1") != cleaned.get("password2"):
            self.add_error("password2", "The two passwords differ.")
        return cleaned

    def save(self, commit: bool = True) -> Any:
        user = super().save(commit=False)
        user.set_password(self.cleaned_data["password1"])
        return user


class ChangedUserForm(AddressForm, UserChangeForm):
    """A user that is."""

    name_field = "username"
    quota = QuotaField()

    class Meta:
        model = User
        fields = (
            "username",
            "domain",
            "full_name",
            "is_active",
            "is_staff",
            "password",
            "spam_threshold",
            "refuse_threshold",
            "filter_spam_too",
            *LIMITS,
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mailbox = getattr(self.instance, "mailbox", None)
        if mailbox is not None and mailbox.quota_bytes is not None:
            self.initial["quota"] = -(-mailbox.quota_bytes // BYTES_PER_MEGABYTE)
