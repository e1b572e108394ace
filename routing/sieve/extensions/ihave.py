"""The test ihave and the command error (RFC 5463).

What is asked for and known counts as required from there on. Where something unknown is asked for, what follows may
use it: it is an error only if it runs.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Ihave:
    is_there: bool

    def holds(self, run: "Run") -> bool:
        return self.is_there


@dataclass(frozen=True, slots=True)
class _Error:
    message: Text

    def run(self, run: "Run") -> None:
        raise RunError(text_of(run, self.message))


def _ihave(call: Call) -> _Ihave:
    checker = call.checker
    names = []
    for name in call.texts(0):
        if not isinstance(name, str):
            raise call.invalid("the name of an extension is a constant string", 0)
        names.append(name)
    if all(checker.supports(name) and not _changes_strings(call, name) for name in names):
        checker.enable(names, call.places[0])
        return _Ihave(True)
    checker.is_doubtful = True
    return _Ihave(False)


def _changes_strings(call: Call, name: str) -> bool:
    """Whether the extension changes how a script is read: such a one has to be required (§4)."""
    extension = call.checker.language.by_name.get(name)
    if extension is None or name in call.checker.enabled:
        return False
    return extension.decode_string is not None or extension.compile_string is not None


def _error(call: Call) -> _Error:
    return _Error(call.text(0))


EXTENSION = Extension(
    "ihave",
    commands=(Signature("error", _error, (Shape.STRING,)),),
    tests=(Signature("ihave", _ihave, (Shape.STRINGS,)),),
)
