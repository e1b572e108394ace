r"""special-use: `:specialuse` on fileinto, and the test specialuse_exists (RFC 8579)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from accounts.mailstore.folder_names import canonical_name
from routing.sieve.actions import Action, FileInto, Notify, Vacation
from routing.sieve.calls import Call
from routing.sieve.copies import FCC_COMMANDS, needs_fcc, with_copy
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.texts import Text, text_of, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

_USE = re.compile(r'\\[^\x00-\x20\x7f-\U0010ffff(){%*"\\\]]{1,100}')  # use-attr of RFC 6154 §6


@dataclass(frozen=True, slots=True)
class _SpecialUseExists:
    """`folder` None: each use is that of some folder; else that folder has all of them."""

    folder: Text | None
    uses: Sequence[Text]

    def holds(self, run: "Run") -> bool:
        for use in texts_of(run, self.uses):
            folders = run.host.folders_of_use(use)
            if self.folder is None and not folders:
                return False
            if self.folder is not None and canonical_name(text_of(run, self.folder)) not in folders:
                return False
        return True


def _build(call: Call) -> _SpecialUseExists:
    for use in call.texts(1):
        if isinstance(use, str) and not _USE.fullmatch(use):
            raise call.invalid(f"{use[:100]!r} is no special use", 1)
    return _SpecialUseExists(None if call.arguments[0] is None else call.text(0), call.texts(1))


def _special_use(run: "Run", action: Action, value: Any) -> Action:
    use = text_of(run, value)
    if not _USE.fullmatch(use):
        raise RunError(f"{use[:100]!r} is no special use")
    if isinstance(action, Vacation | Notify):
        return with_copy(action, special_use=use)
    return replace(action, special_use=use) if isinstance(action, FileInto) else action


def _check(call: Call, value: Any) -> None:
    if call.has("mailboxid"):
        raise call.invalid(":specialuse stands beside :mailboxid")  # RFC 9042 §4
    if isinstance(value, str) and not _USE.fullmatch(value):
        raise call.invalid(f"{value[:100]!r} is no special use")
    if call.name in FCC_COMMANDS:
        needs_fcc(call, value)


EXTENSION = Extension(
    "special-use",
    tests=(Signature("specialuse_exists", _build, (Shape.STRING, Shape.STRINGS), optional=1),),
    tags=(
        (
            ("fileinto", *FCC_COMMANDS),
            TagKind("specialuse", Shape.STRING, amend=_special_use, check=_check),
        ),
    ),
)
