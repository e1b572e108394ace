"""What the admin's pages have in common."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import Domain
from accounts.models.sending import LimitField
from accounts.namespace import Conflict, meaning_of, taken

BYTES_PER_MEGABYTE = 1024 * 1024


class DirectoryAdmin(ModelAdmin):
    """A page whose conflicts are explained: by its form, and by a message when a race went past the form."""

    list_filter_submit = True
    warn_unsaved_form = True
    show_full_result_count = False
    formfield_overrides: ClassVar[Any] = {
        LimitField: {"widget": UnfoldAdminTextInputWidget(attrs={"placeholder": "inherited"})}
    }

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Most are in the default domain."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        default = Domain.objects.filter(is_default=True).values_list("pk", flat=True).first()
        return {"domain": default, **initial} if default is not None else initial

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            response: HttpResponse = super().changeform_view(
                request, object_id, form_url, extra_context
            )
        except Conflict as conflict:
            explanation = str(conflict)
        except IntegrityError as error:
            meaning = meaning_of(error, "what you entered")
            if meaning is None:
                raise
            explanation = meaning
        else:
            return response
        messages.error(request, f"Nothing was saved. {explanation}")
        return HttpResponseRedirect(request.get_full_path())


class ReadOnlyAdmin(ModelAdmin):
    """A page to look at."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class AddressForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of something that has an address: `name_field` and the domain make it."""

    name_field = "local_part"

    def local_part(self, cleaned: Mapping[str, Any]) -> str:
        """The address before the @, as the fields make it."""
        return str(cleaned.get(self.name_field) or "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        domain = cleaned.get("domain") or getattr(self.instance, "domain", None)
        local_part = self.local_part(cleaned)
        if isinstance(domain, Domain) and local_part:
            explanation = taken(domain, local_part, unless=self.instance)
            if explanation:
                self.add_error(self.name_field, explanation)
        return cleaned


def show_secret(
    admin: ModelAdmin, request: HttpRequest, owner: Any, *, username: str, secret: str
) -> HttpResponse:
    """The page that shows a generated secret, once: it is in this answer and nowhere else."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": f"Credentials of {owner}",
        "original": owner,
        "username": username,
        "secret": secret,
    }
    response = TemplateResponse(request, "admin/accounts/secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


def human_size(size: int | None) -> str:
    """Bytes for people."""
    if size is None:
        return "no limit"
    amount = float(size)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1024:
            return (
                f"{amount:.0f} {unit}"
                if unit == "bytes" or amount >= 10
                else f"{amount:.1f} {unit}"
            )
        amount /= 1024
    return f"{amount:.1f} TB"
