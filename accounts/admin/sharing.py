"""On the pages of users and mailboxes: who shares which folder with whom (RFC 4314), in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.mailstore.folders import list_folders
from accounts.mailstore.sharing import ALL_RIGHTS, shared_folders
from accounts.mailstore.sharing_rights import (
    ANYONE,
    Grant,
    NoSuchGrantee,
    OwnerKeepsRights,
    TooManyGrants,
    find_grantee,
    mailbox_grants,
    set_rights,
)
from accounts.mailstore.values import MailboxId, NoSuchFolder
from accounts.models import Mailbox
from accounts.people import raw_connection

WORDS = {"lrs": "Read", "lrswite": "Write", ALL_RIGHTS: "Full"}
OTHER = "other"
MEANINGS = {
    "l": "see it in the list",
    "r": "read",
    "s": "keep what was seen",
    "w": "set flags",
    "i": "put mail in",
    "p": "post",
    "k": "make folders in it",
    "x": "delete or rename it",
    "t": "mark as deleted",
    "e": "expunge",
    "a": "administer its rights",
}
_REFUSALS = {
    NoSuchGrantee: "Nobody here has that address.",
    OwnerKeepsRights: "The owner has every right already.",
    TooManyGrants: "The folder is shared with too many already.",
    NoSuchFolder: "The folder is gone.",
}


# The word and the letters follow each other.
_WORD_CHOSEN = f"if (this.value !== '{OTHER}') this.form.letters.value = this.value"
_LETTERS_TYPED = f"this.form.access.value = '{OTHER}'"


class GrantForm(forms.Form):
    """One entry of a folder's list of rights."""

    folder = forms.CharField(max_length=3000)
    identifier = forms.CharField(
        label="with",
        max_length=400,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": f"bob@example.org or {ANYONE}"}),
    )
    access = forms.ChoiceField(
        choices=[*WORDS.items(), (OTHER, "As the letters say")],
        widget=UnfoldAdminSelectWidget(attrs={"onchange": _WORD_CHOSEN}),
    )
    letters = forms.CharField(
        required=False,
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "lrs", "oninput": _LETTERS_TYPED}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        access = cleaned.get("access", "")
        letters = cleaned.get("letters", "").replace(" ", "") if access == OTHER else access
        unknown = set(letters) - set(ALL_RIGHTS)
        if access == OTHER and (unknown or not letters):
            raise forms.ValidationError(f"The letters are some of {ALL_RIGHTS}.")
        cleaned["rights"] = letters
        return cleaned


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the table shows it."""

    folder: str
    identifier: str
    word: str
    letters: str
    form: GrantForm | None = None

    @property
    def is_plain(self) -> bool:
        """Whether one word says it."""
        return self.word in WORDS.values()


def word_for(rights: str) -> str:
    """The plain word of these rights, or what they let somebody do."""
    known = {frozenset(letters): word for letters, word in WORDS.items()}
    word = known.get(frozenset(rights) - {"p"}) or known.get(frozenset(rights))
    return word or ", ".join(MEANINGS[right] for right in ALL_RIGHTS if right in rights)


class SharingPage:
    """For the page of a user, or of a mailbox: its table below the form, and the view that changes it."""

    change_form_outer_after_template = "admin/accounts/shared_folders.html"

    def get_urls(self) -> list[URLPattern]:
        admin: Any = self
        name = f"{admin.opts.app_label}_{admin.opts.model_name}_share"
        view = admin.admin_site.admin_view(self.share_view)
        return [path("<path:object_id>/share/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        admin: Any = self
        mailbox = _mailbox_of(admin.get_object(request, unquote(object_id)))
        context = extra_context or {}
        if mailbox is not None:
            context = {**context, "sharing": _tables(MailboxId(mailbox.pk))}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)  # type: ignore[misc]
        return response

    def share_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Saves or removes one entry, and goes back."""
        admin: Any = self
        owner = admin.get_object(request, unquote(object_id))
        mailbox = _mailbox_of(owner)
        if mailbox is None:
            raise Http404
        if request.method != "POST" or not admin.has_change_permission(request, owner):
            raise PermissionDenied
        form = GrantForm(request.POST)
        if form.is_valid():
            refusal = _change(MailboxId(mailbox.pk), form, is_removal="remove" in request.POST)
        else:
            refusal = " ".join(str(error) for errors in form.errors.values() for error in errors)
        if refusal:
            messages.error(request, f"Nothing was changed. {refusal}")
        else:
            done = "is not shared with" if "remove" in request.POST else "is shared with"
            what = form.cleaned_data
            messages.success(request, f"{what['folder']} {done} {what['identifier']} now.")
        back = reverse(
            f"admin:{admin.opts.app_label}_{admin.opts.model_name}_change", args=[owner.pk]
        )
        return HttpResponseRedirect(f"{back}#shared-folders")


def _mailbox_of(owner: Any) -> Mailbox | None:
    return owner if isinstance(owner, Mailbox) else getattr(owner, "mailbox", None)


def _change(owner: MailboxId, form: GrantForm, *, is_removal: bool) -> str:
    """Why not; "" when it is done."""
    db = raw_connection()
    what = form.cleaned_data
    try:
        folders = {folder.name: folder.id for folder in list_folders(db, owner)}
        if what["folder"] not in folders:
            raise NoSuchFolder
        grantee = find_grantee(db, what["identifier"].strip())
        rights = "" if is_removal else what["rights"]
        set_rights(db, owner, folders[what["folder"]], grantee, rights)
    except tuple(_REFUSALS) as error:
        return _REFUSALS[type(error)]
    return ""


def _tables(owner: MailboxId) -> dict[str, Any]:
    db = raw_connection()
    return {
        "given": list(_given(owner)),
        "received": [
            Row(name, "", word_for(rights), rights) for name, _, rights in shared_folders(db, owner)
        ],
        "new": _new_form([folder.name for folder in list_folders(db, owner)]),
    }


def _new_form(folders: list[str]) -> GrantForm:
    form = GrantForm(initial={"access": "lrs"}, auto_id=False)
    choices = [(name, name) for name in folders]
    form.fields["folder"].widget = UnfoldAdminSelectWidget(choices=choices)
    return form


def _given(owner: MailboxId) -> Iterator[Row]:
    for folder, grant in mailbox_grants(raw_connection(), owner):
        word = word_for(grant.rights)
        if grant.grantee.is_negative:
            word = f"not: {word.lower()}"
        form = _form(folder, grant)
        yield Row(folder, grant.identifier, word, grant.rights, form)


def _form(folder: str, grant: Grant) -> GrantForm:
    rights = grant.rights
    access = rights if rights in WORDS else OTHER
    initial = {
        "folder": folder,
        "identifier": grant.identifier,
        "access": access,
        "letters": rights,
    }
    return GrantForm(initial=initial, auto_id=False)
