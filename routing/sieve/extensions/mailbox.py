"""mailbox: the test mailboxexists, and `:create` on fileinto (RFC 5490 §3)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, FileInto, Notify, Vacation
from routing.sieve.calls import Call
from routing.sieve.copies import FCC_COMMANDS, needs_fcc, with_copy
from routing.sieve.folder_names import folder_name_error
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.texts import Text, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _MailboxExists:
    names: Sequence[Text]

    def holds(self, run: "Run") -> bool:
        return all(
            not folder_name_error(name) and run.host.folder_exists(name)
            for name in texts_of(run, self.names)
        )


def _build(call: Call) -> _MailboxExists:
    return _MailboxExists(call.texts(0))


def _create(run: "Run", action: Action, value: Any) -> Action:
    if isinstance(action, Vacation | Notify):
        return with_copy(action, create=True)
    return replace(action, create=True) if isinstance(action, FileInto) else action


EXTENSION = Extension(
    "mailbox",
    tests=(Signature("mailboxexists", _build, (Shape.STRINGS,)),),
    tags=(
        (("fileinto",), TagKind("create", amend=_create)),
        (FCC_COMMANDS, TagKind("create", amend=_create, check=needs_fcc)),
    ),
)
