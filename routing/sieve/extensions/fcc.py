"""fcc: `:fcc` on vacation and notify, a copy of what is sent (RFC 8580)."""

from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, Notify, Vacation
from routing.sieve.calls import Call
from routing.sieve.copies import FCC_COMMANDS, with_copy
from routing.sieve.errors import RunError
from routing.sieve.folder_names import folder_name_error
from routing.sieve.language import Extension, Shape, TagKind
from routing.sieve.texts import text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


def _fcc(run: "Run", action: Action, value: Any) -> Action:
    if not isinstance(action, Vacation | Notify):
        return action
    folder = text_of(run, value)
    if error := folder_name_error(folder):
        raise RunError(error)
    return with_copy(action, folder=folder)


def _check(call: Call, value: Any) -> None:
    if isinstance(value, str) and (error := folder_name_error(value)):
        raise call.invalid(error)


EXTENSION = Extension(
    "fcc", tags=((FCC_COMMANDS, TagKind("fcc", Shape.STRING, amend=_fcc, check=_check)),)
)
