"""Actions in plain words, for a person who asks what a script would do."""

from routing.sieve.actions import (
    Action,
    Copy,
    Discard,
    FileInto,
    Keep,
    Notify,
    Redirect,
    Reject,
    SetFlags,
    Vacation,
)
from routing.sieve.trace import LINE_MAXIMUM, printable, quoted


def in_words(action: Action) -> str:
    """One line. An action of an extension's own says it by a method `in_words`."""
    return printable(_words(action)[:LINE_MAXIMUM])


def _words(action: Action) -> str:
    match action:
        case Keep(flags=flags, implicit=implicit):
            return f"{'implicit keep' if implicit else 'keep'}: into INBOX{_with(flags)}"
        case FileInto(flags=flags, copy=copy):
            what = "file a copy into" if copy else "file into"
            return f"{what} {_folder(action)}{_with(flags)}"
        case Redirect(address=address, list_name=list_name, copy=copy):
            target = f"the members of {quoted(list_name)}" if list_name else address
            return f"redirect {'a copy ' if copy else ''}to {target}"
        case Discard():
            return "discard: it is not kept"
        case Reject(reason=reason, extended=extended):
            how = "refuse (ereject)" if extended else "reject"
            return f"{how} with the text {quoted(reason)}"
        case Vacation(reason=reason, recipient=recipient, sender=sender, copy=copy_of):
            answer = f"answer the sender as {sender or recipient}: {quoted(reason)}"
            return answer + _filed(copy_of)
        case Notify(method=method, message=message, copy=copy_of):
            text = f": {quoted(message)}" if message else ""
            return f"notify {quoted(method)}{text}{_filed(copy_of)}"
        case SetFlags(flags=flags):
            return f"set the flags to {' '.join(flags)}" if flags else "clear the flags"
    own = getattr(action, "in_words", None)
    return str(own()) if own else str(action)


def _folder(where: FileInto | Copy) -> str:
    name = quoted(where.folder)
    if where.special_use:
        name = f"the folder for {where.special_use}, else {name}"
    if where.mailbox_id:
        name = f"the folder with the id {where.mailbox_id}, else {name}"
    return f"{name} (made if it is missing)" if where.create else name


def _with(flags: tuple[str, ...]) -> str:
    return f" with {' '.join(flags)}" if flags else ""


def _filed(copy: Copy | None) -> str:
    return f"; a copy of it goes into {_folder(copy)}{_with(copy.flags)}" if copy else ""
