"""extlists: the match type `:list`, valid_ext_list, and `redirect :list` (RFC 6134). The lists are the owner's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, Redirect
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import Comparator, Keys, Matcher, MatchType
from routing.sieve.texts import Text, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _InList:
    """The keys are names of lists; an unknown one is an error as the script runs (§2.1)."""

    names: Sequence[Text]

    def matches(self, run: "Run", values: Sequence[str]) -> bool:
        for name in texts_of(run, self.names):
            if not _has_list(run, name):
                raise RunError(f"there is no list {name[:200]!r}")
            run.look_at(sum(map(len, values)))
            found = run.host.in_list(name, values)
            if run.trace is not None:
                run.note(f"{name!r} {'has' if found is not None else 'has none of'} {values[:5]}")
            if found is not None:
                run.match_values = (found,)
                return True
        return False


def _has_list(run: "Run", name: str) -> bool:
    run.ask("list", name)
    return run.host.has_list(name)


def _list(keys: Keys, comparator: Comparator, value: str) -> Matcher:
    return _InList(keys.texts)


@dataclass(frozen=True, slots=True)
class _ValidExtList:
    names: Sequence[Text]

    def holds(self, run: "Run") -> bool:
        return all(_has_list(run, name) for name in texts_of(run, self.names))


def _valid_ext_list(call: Call) -> _ValidExtList:
    return _ValidExtList(call.texts(0))


def _to_list(run: "Run", action: Action, value: Any) -> Action:
    if not isinstance(action, Redirect):
        return action
    if not run.host.has_list(action.address):
        raise RunError(f"there is no list {action.address[:200]!r}")
    return replace(action, list_name=action.address, address="")


EXTENSION = Extension(
    "extlists",
    tests=(Signature("valid_ext_list", _valid_ext_list, (Shape.STRINGS,)),),
    tags=((("redirect",), TagKind("list", amend=_to_list)),),
    match_types=(MatchType("list", _list),),
)
