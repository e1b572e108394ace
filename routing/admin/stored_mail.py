"""Choosing a stored message in a form of the admin: whose mailbox, which folder, which of its last messages."""

from datetime import datetime
from typing import Any

from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import people
from accounts.mailstore.folders import open_folder
from accounts.mailstore.latest import latest_uids
from accounts.mailstore.reading import BlobReference, fetch, read_blob
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder, Uid
from accounts.models import Mailbox
from accounts.people import raw_connection
from routing.sieve.message import Message
from routing.sieve.trace import printable

LATEST = 25
SUGGESTED = 200
ADDRESS_MAXIMUM = 400
SUBJECT_MAXIMUM = 70
SENDER_MAXIMUM = 30


def text_widget(**attributes: Any) -> Any:
    return UnfoldAdminTextInputWidget(attrs=attributes)


def choice_widget(**attributes: Any) -> Any:
    return UnfoldAdminSelectWidget(attrs=attributes)


def suggestions() -> list[str]:
    """Names of mailboxes to choose from."""
    return list(Mailbox.objects.values_list("name", flat=True)[:SUGGESTED])


def stored_content(owner: Mailbox, folder: str, uid: int) -> bytes | None:
    """A message as a client reads it; None when there is none in the folder."""
    db, mailbox = raw_connection(), MailboxId(owner.pk)
    try:
        state = open_folder(db, mailbox, folder)
    except NoSuchFolder:
        return None
    for _, prefix, content in fetch(db, mailbox, state.id, [Uid(uid)], ("prefix", "content")):
        if isinstance(content, BlobReference):
            content = read_blob(db, content)
        return bytes(prefix + content)
    return None


def find_mailbox(address: str) -> Mailbox:
    """Of a user by any address, else by its name: that of an app, or of somebody who is gone. Raises Conflict."""
    found = Mailbox.objects.filter(name=address).first()
    return found or Mailbox.objects.get(user=people.find_user(address))


def latest_messages(owner: MailboxId, folder: FolderId) -> list[tuple[str, str]]:
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
