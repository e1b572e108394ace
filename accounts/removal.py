"""Removes users and apps, with their mail or without."""

from accounts.mailstore.removal import delete_mailbox as delete_stored_mail
from accounts.mailstore.sharing_rights import forget_reader
from accounts.mailstore.values import MailboxId
from accounts.models import App, Domain, Mailbox, User
from accounts.namespace import one_change
from accounts.people import raw_connection


def delete_user(user: User, *, keep_mail: bool) -> None:
    """Remove a user with aliases and memberships. Kept mail stays in its mailbox, without an owner."""
    with one_change(user.address):
        _delete_owner(user, Mailbox.objects.filter(user=user).first(), keep_mail)


def delete_app(app: App, *, keep_mail: bool) -> None:
    """Remove an app, as `delete_user`."""
    with one_change(app.address):
        _delete_owner(app, Mailbox.objects.filter(app=app).first(), keep_mail)


def delete_mailbox(mailbox: Mailbox) -> None:
    """Remove a mailbox that has no owner any more, with all its mail."""
    with one_change(mailbox.name):
        _take_out_of_catch_alls(mailbox)
        delete_stored_mail(raw_connection(), MailboxId(mailbox.pk))


def _delete_owner(owner: User | App, mailbox: Mailbox | None, keep_mail: bool) -> None:
    if mailbox is not None:
        _take_out_of_catch_alls(mailbox)
        forget_reader(raw_connection(), MailboxId(mailbox.pk))
        mailbox.name = owner.address
        mailbox.save(update_fields=["name"])
    owner.delete()
    if mailbox is not None and not keep_mail:
        delete_mailbox(mailbox)


def _take_out_of_catch_alls(mailbox: Mailbox) -> None:
    for domain in Domain.objects.filter(catch_all=mailbox):
        domain.catch_all.remove(mailbox)
