"""fileinto (RFC 5228 §4.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.actions import Action, FileInto
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.folder_names import folder_name_error
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _FileInto:
    folder: Text
    amend: Callable[["Run", Action], Action]

    def run(self, run: "Run") -> None:
        folder = text_of(run, self.folder)
        if error := folder_name_error(folder):
            raise RunError(error)
        run.act(self.amend(run, FileInto(folder, line=run.line)))


def _build(call: Call) -> _FileInto:
    folder = call.text(0)
    if isinstance(folder, str) and (error := folder_name_error(folder)):
        raise call.invalid(error, 0)
    return _FileInto(folder, call.amend)


EXTENSION = Extension("fileinto", commands=(Signature("fileinto", _build, (Shape.STRING,)),))
