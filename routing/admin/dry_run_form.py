"""The form of the page that tries a script: whose mailbox, which script, which message, which envelope."""

from typing import Any

from django import forms
from django.http import QueryDict
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from accounts.journal.trace import clean
from accounts.mailstore.folders import list_folders
from accounts.mailstore.values import INBOX, MailboxId
from accounts.models import Mailbox
from accounts.namespace import Conflict
from accounts.people import raw_connection
from routing.admin.script_forms import ScriptEditor
from routing.admin.stored_mail import (
    ADDRESS_MAXIMUM,
    choice_widget,
    find_mailbox,
    latest_messages,
    stored_content,
    suggestions,
    text_widget,
)
from routing.dry_run.running import with_crlf
from routing.scripts import storage
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from routing.sieve.message import Message

PASTED = ""
MESSAGE_MAXIMUM = 1_000_000
_REFRESH = "this.form.requestSubmit(this.form.elements.refresh)"


class DryRunForm(forms.Form):
    """What is stored is offered once a mailbox is chosen; a script and a message may be pasted without one."""

    mailbox = forms.CharField(
        required=False,
        max_length=ADDRESS_MAXIMUM,
        widget=text_widget(list="mailboxes", placeholder="ann@example.org", onchange=_REFRESH),
        help_text="Tests ask about its folders and lists. Empty: about nobody's.",
    )
    script = forms.ChoiceField(required=False, widget=choice_widget(onchange=_REFRESH))
    text = forms.CharField(
        label="Script",
        required=False,
        strip=False,
        max_length=SCRIPT_SIZE_MAXIMUM,
        widget=ScriptEditor(),
    )
    folder = forms.ChoiceField(required=False, widget=choice_widget(onchange=_REFRESH))
    message = forms.ChoiceField(required=False, widget=choice_widget(onchange=_REFRESH))
    uid = forms.IntegerField(
        label="or its UID",
        required=False,
        min_value=1,
        max_value=(1 << 32) - 1,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    content = forms.CharField(
        label="Message",
        required=False,
        strip=False,
        max_length=MESSAGE_MAXIMUM,
        widget=UnfoldAdminTextareaWidget(
            attrs={
                "rows": 12,
                "spellcheck": "false",
                "class": "font-mono",
                "placeholder": "From: ann@example.org\nSubject: a message, header first\n\nHello",
            }
        ),
    )
    envelope_from = forms.CharField(
        label="Envelope from",
        required=False,
        max_length=1000,
        widget=text_widget(placeholder="as the message says; <> for none"),
    )
    envelope_to = forms.CharField(
        label="Envelope to",
        required=False,
        max_length=1000,
        widget=text_widget(placeholder="as the message says"),
    )

    def __init__(self, data: QueryDict) -> None:
        self._answers = data.copy()
        super().__init__(self._answers, auto_id="try_%s")
        self.fields["text"].widget.attrs["rows"] = 14
        self.owner: Mailbox | None = None
        self.suggestions = suggestions()
        folder = INBOX
        scripts = [(PASTED, "The one below")]
        folders: list[tuple[str, str]] = []
        latest = [(PASTED, "The one below")]
        address = clean(str(data.get("mailbox", "")).strip()[:ADDRESS_MAXIMUM])
        self._unknown = ""
        if address:
            try:
                self.owner = find_mailbox(address)
            except Conflict as conflict:
                self._unknown = str(conflict)
        if self.owner is not None:
            db, owner = raw_connection(), MailboxId(self.owner.pk)
            for one in storage.list_scripts(db, owner):
                scripts.append((one.name, f"{one.name} (active)" if one.is_active else one.name))
            states = {one.name: one for one in list_folders(db, owner)}
            folders = [(name, f"{name} ({one.message_count})") for name, one in states.items()]
            folder = str(data.get("folder") or INBOX)
            if folder in states:
                latest += latest_messages(owner, states[folder].id)
        self._choose("script", scripts)
        self._choose("folder", folders)
        self._choose("message", latest)

    def clean_mailbox(self) -> str:
        if self._unknown:
            raise forms.ValidationError(self._unknown)
        return str(self.cleaned_data["mailbox"])

    def clean(self) -> dict[str, Any]:
        """`script_octets` and `mail`: what is tried."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        cleaned["script_octets"] = self._script(cleaned)
        cleaned["mail"] = self._mail(cleaned)
        return cleaned

    def _script(self, cleaned: dict[str, Any]) -> bytes:
        if not cleaned["script"]:
            return str(cleaned["text"]).encode("utf-8", "replace")
        assert self.owner is not None
        found = storage.script(raw_connection(), MailboxId(self.owner.pk), cleaned["script"])
        if found is None:
            self.add_error("script", "It has gone.")
        return found or b""

    def _mail(self, cleaned: dict[str, Any]) -> Message:
        uid = cleaned["uid"] or int(cleaned["message"] or 0)
        if not uid:
            return Message(with_crlf(str(cleaned["content"]).encode("utf-8", "replace")))
        content = self.owner and stored_content(self.owner, cleaned["folder"] or INBOX, uid)
        if content is None:
            self.add_error("uid", "There is no such message in the folder.")
        return Message(content or b"")

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """A choice that is gone, since the mailbox is another, is the first one again."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        if str(self._answers.get(name, "")) not in {value for value, _ in choices}:
            self._answers[name] = choices[0][0] if choices else ""
