"""What the pages of users and apps have in common: generated secrets, and the question that deletion asks."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, TabularInline

from accounts.admin.pages import human_size, show_secret
from accounts.models import Credential, Mailbox


class CredentialInline(TabularInline):
    """The generated secrets of a user or an app: when they were used, and a way to end them."""

    model = Credential
    fields: tuple[str, ...] = ("label", "created_at", "last_used_at")
    readonly_fields = ("created_at", "last_used_at")
    extra = 0
    hide_title = True
    max_num = 0  # they are made on a page of their own, which shows the secret


def new_secret_page(
    admin: ModelAdmin,
    request: HttpRequest,
    object_id: str,
    *,
    form_class: type[forms.Form],
    title: str,
    explanation: str,
    button: str,
    make: Callable[[Any, forms.Form], str],
) -> HttpResponse:
    """Asks with the form; on POST makes a secret of the object and shows it."""
    owner = admin.get_object(request, unquote(object_id))
    if owner is None:
        raise Http404
    if not admin.has_change_permission(request, owner):
        raise PermissionDenied
    form = form_class(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return show_secret(admin, request, owner, username=owner.address, secret=make(owner, form))
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "original": owner,
        "title": title,
        "explanation": explanation,
        "button": button,
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/new_secret.html", context)


class OwnerDeletion:
    """For a page of what owns a mailbox: deletion asks whether the mail goes too."""

    admin_site: Any
    opts: Any
    delete: Callable[..., None]

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        admin: Any = self
        owner = admin.get_object(request, unquote(object_id))
        if owner is None:
            raise Http404
        if not admin.has_delete_permission(request, owner):
            raise PermissionDenied
        answer = request.POST.get("mail")
        if request.method == "POST" and answer in ("keep", "delete"):
            name = str(owner)
            admin.log_deletions(request, [owner])
            type(self).delete(owner, keep_mail=answer == "keep")
            kept = "Its mail is kept." if answer == "keep" else "Its mail is gone."
            admin.message_user(request, f"{name} was deleted. {kept}")
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": owner,
            "original": owner,
            "title": f"Delete {owner}",
            "mail_summary": _mail_summary(owner),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/accounts/delete_owner.html", context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted by the dozen: the question is asked for each."""
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        actions.pop("delete_selected", None)
        return actions


def _mail_summary(owner: Any) -> str:
    mailbox: Mailbox | None = getattr(owner, "mailbox", None)
    if mailbox is None:
        return "no messages"
    return f"{mailbox.used_messages} messages, {human_size(mailbox.used_bytes)}"
