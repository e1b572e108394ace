"""mailboxid: `:mailboxid` on fileinto, and the test mailboxidexists (RFC 9042)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, FileInto, Notify, Vacation
from routing.sieve.calls import Call
from routing.sieve.copies import FCC_COMMANDS, needs_fcc, with_copy
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.texts import Text, text_of, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _MailboxIdExists:
    ids: Sequence[Text]

    def holds(self, run: "Run") -> bool:
        return all(run.host.folder_of_id(id_) is not None for id_ in texts_of(run, self.ids))


def _build(call: Call) -> _MailboxIdExists:
    return _MailboxIdExists(call.texts(0))


def _mailbox_id(run: "Run", action: Action, value: Any) -> Action:
    """Where there is no such folder, that of the name takes its place."""
    mailbox_id = text_of(run, value)
    if isinstance(action, Vacation | Notify):
        return with_copy(action, mailbox_id=mailbox_id)
    return replace(action, mailbox_id=mailbox_id) if isinstance(action, FileInto) else action


EXTENSION = Extension(
    "mailboxid",
    tests=(Signature("mailboxidexists", _build, (Shape.STRINGS,)),),
    tags=(
        (("fileinto",), TagKind("mailboxid", Shape.STRING, amend=_mailbox_id)),
        (FCC_COMMANDS, TagKind("mailboxid", Shape.STRING, amend=_mailbox_id, check=needs_fcc)),
    ),
)
