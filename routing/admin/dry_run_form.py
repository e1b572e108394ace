"""The form of the page that tries a script: whose mailbox, which script, which message, which envelope."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import people
from accounts.journal.trace import clean
from accounts.mailstore.folders import list_folders, open_folder
from accounts.mailstore.latest import latest_uids
from accounts.mailstore.reading import BlobReference, fetch, read_blob
from accounts.mailstore.values import INBOX, FolderId, MailboxId, NoSuchFolder, Uid
from accounts.models import Mailbox
from accounts.namespace import Conflict
from accounts.people import raw_connection
from routing.admin.script_forms import ScriptEditor
from routing.dry_run.running import with_crlf
from routing.scripts import storage
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from routing.sieve.message import Message
from routing.sieve.trace import printable

PASTED = ""
LATEST = 25
SUGGESTED = 200
ADDRESS_MAXIMUM = 400
MESSAGE_MAXIMUM = 1_000_000
SUBJECT_MAXIMUM = 70
SENDER_MAXIMUM = 30
_REFRESH = "this.form.requestSubmit(this.form.elements.refresh)"


def _text(**attributes: Any) -> Any:
    return UnfoldAdminTextInputWidget(attrs=attributes)


def _choice(**attributes: Any) -> Any:
    return UnfoldAdminSelectWidget(attrs=attributes)


class DryRunForm(forms.Form):
    """What is stored is offered once a mailbox is chosen; a script and a message may be pasted without one."""

    mailbox = forms.CharField(
        required=False,
        max_length=ADDRESS_MAXIMUM,
        widget=_text(list="mailboxes", placeholder="ann@example.org", onchange=_REFRESH),
        help_text="Tests ask about its folders and lists. Empty: about nobody's.",
    )
    script = forms.ChoiceField(required=False, widget=_choice(onchange=_REFRESH))
    text = forms.CharField(
        label="Script",
        required=False,
        strip=False,
        max_length=SCRIPT_SIZE_MAXIMUM,
        widget=ScriptEditor(),
    )
    folder = forms.ChoiceField(required=False, widget=_choice(onchange=_REFRESH))
    message = forms.ChoiceField(required=False, widget=_choice(onchange=_REFRESH))
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
        widget=_text(placeholder="as the message says; <> for none"),
    )
    envelope_to = forms.CharField(
        label="Envelope to",
        required=False,
        max_length=1000,
        widget=_text(placeholder="as the message says"),
    )

    def __init__(self, data: QueryDict) -> None:
        self._answers = data.copy()
        super().__init__(self._answers, auto_id="try_%s")
        self.fields["text"].widget.attrs["rows"] = 14
        self.owner: Mailbox | None = None
        self.suggestions = list(Mailbox.objects.values_list("name", flat=True)[:SUGGESTED])
        folder = INBOX
        scripts = [(PASTED, "The one below")]
        folders: list[tuple[str, str]] = []
        latest = [(PASTED, "The one below")]
        address = clean(str(data.get("mailbox", "")).strip()[:ADDRESS_MAXIMUM])
        self._unknown = ""
        if address:
            try:
                self.owner = _mailbox(address)
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
                latest += _latest(owner, states[folder].id)
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
        content = self._stored(cleaned["folder"] or INBOX, Uid(uid))
        if content is None:
            self.add_error("uid", "There is no such message in the folder.")
        return Message(content or b"")

    def _stored(self, folder: str, uid: Uid) -> bytes | None:
        if self.owner is None:
            return None
        db, owner = raw_connection(), MailboxId(self.owner.pk)
        try:
            rows = fetch(db, owner, open_folder(db, owner, folder).id, [uid], ("prefix", "content"))
        except NoSuchFolder:
            return None
        for _, prefix, content in rows:
            if isinstance(content, BlobReference):
                content = read_blob(db, content)
            return bytes(prefix + content)
        return None

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        """A choice that is gone, since the mailbox is another, is the first one again."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        if str(self._answers.get(name, "")) not in {value for value, _ in choices}:
            self._answers[name] = choices[0][0] if choices else ""


def _mailbox(address: str) -> Mailbox:
    """Of a user by any address, else by its name: that of an app, or of somebody who is gone. Raises Conflict."""
    found = Mailbox.objects.filter(name=address).first()
    return found or Mailbox.objects.get(user=people.find_user(address))


def _latest(owner: MailboxId, folder: FolderId) -> list[tuple[str, str]]:
    """The last messages of a folder, the newest first."""
    db = raw_connection()
    uids = latest_uids(db, owner, folder, LATEST)
    rows = fetch(db, owner, folder, uids, ("internal_date", "header")) if uids else []
    return [(str(uid), _line(uid, date, header)) for uid, date, header in reversed(rows)]


def _line(uid: Uid, date: datetime, header: bytes) -> str:
    message = Message(header)
    first = {name: next(iter(message.fields(name)), None) for name in ("From", "Subject")}
    sender, subject = (printable(one.text) if one else "" for one in first.values())
    what, who = _cut(subject, SUBJECT_MAXIMUM), _cut(sender, SENDER_MAXIMUM)
    return f"{what} · {who} · {date:%Y-%m-%d %H:%M} (UID {uid})"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
