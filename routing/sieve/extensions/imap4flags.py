"""imap4flags: setflag, addflag, removeflag, hasflag and `:flags` (RFC 5232)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from routing.sieve.actions import Action, FileInto, Keep, Notify, Vacation
from routing.sieve.calls import Call
from routing.sieve.copies import FCC_COMMANDS, needs_fcc, with_copy
from routing.sieve.errors import RunError
from routing.sieve.flags import flag_words
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import COMPARISON_COST, Matcher
from routing.sieve.texts import Text, text_of, texts_of
from routing.sieve.variables import get_variable, set_variable

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

INTERNAL = "flags of the message"
"""Where the internal variable is kept in `Run.state`."""

Change = Callable[[tuple[str, ...], tuple[str, ...]], Sequence[str]]


def internal_flags(run: "Run") -> tuple[str, ...]:
    """They begin as those of a message that is stored already, which the environment tells (RFC 6785 §3.8)."""
    flags = run.state.get(INTERNAL)
    if flags is None:
        flags = flag_words([run.environment.get("imap.flags", "")])
    assert isinstance(flags, tuple)
    return flags


@dataclass(frozen=True, slots=True)
class _ChangeFlags:
    """`variable` None is the internal one."""

    change: Change
    variable: Text | None
    flags: Sequence[Text]

    def run(self, run: "Run") -> None:
        named = flag_words(texts_of(run, self.flags))
        if self.variable is None:
            before = internal_flags(run)
            run.look_at((len(before) + len(named)) * COMPARISON_COST)
            run.state[INTERNAL] = flag_words(self.change(before, named))
            return
        name = text_of(run, self.variable).lower()
        if not name.isidentifier() or not name.isascii():
            raise RunError(f"{name[:100]!r} is no name of a variable")
        before = flag_words([get_variable(run, name)])
        run.look_at((len(before) + len(named)) * COMPARISON_COST)
        set_variable(run, name, " ".join(flag_words(self.change(before, named))))


def _without(before: tuple[str, ...], named: tuple[str, ...]) -> Sequence[str]:
    gone = {flag.lower() for flag in named}
    return [flag for flag in before if flag.lower() not in gone]


_CHANGES: dict[str, Change] = {
    "setflag": lambda before, named: named,
    "addflag": lambda before, named: (*before, *named),
    "removeflag": _without,
}


def _change_flags(call: Call) -> _ChangeFlags:
    variable = call.arguments[0]
    if variable is not None:
        _need_variables(call)
        if isinstance(variable, str) and not (variable.isidentifier() and variable.isascii()):
            raise call.invalid(f"{variable[:100]!r} is no name of a variable", 0)
        variable = call.text(0)
    return _ChangeFlags(_CHANGES[call.name], variable, call.texts(1))


@dataclass(frozen=True, slots=True)
class _HasFlag:
    variables: Sequence[Text] | None
    matcher: Matcher

    def holds(self, run: "Run") -> bool:
        if self.variables is None:
            values: Sequence[str] = internal_flags(run)
        else:
            names = texts_of(run, self.variables)
            values = [
                flag for name in names for flag in flag_words([get_variable(run, name.lower())])
            ]
        return self.matcher.matches(run, values)


def _has_flag(call: Call) -> _HasFlag:
    variables = None
    if call.arguments[0] is not None:
        _need_variables(call)
        variables = call.texts(0)
    keys: list[Text] = []
    for text in call.texts(1):
        # "b A" is the same list as ["b", "A"] (§2); patterns and counts are no flags and stay as they are
        keys += text.split() or [text] if isinstance(text, str) else [text]
    return _HasFlag(variables, call.matcher(keys))


def _need_variables(call: Call) -> None:
    if "variables" not in call.checker.enabled:
        raise call.invalid('to name a variable needs: require "variables"', 0)


def _flags(run: "Run", action: Action, value: Any) -> Action:
    """`:flags`; beside `:fcc`, of the copy (RFC 8580 §3.1)."""
    flags = flag_words(texts_of(run, value))
    if isinstance(action, Vacation | Notify):
        return with_copy(action, flags=flags)
    if isinstance(action, Keep | FileInto):
        return replace(action, flags=flags, has_flags=True)
    return action


def _amend(run: "Run", action: Action) -> Action:
    """Without `:flags`, the internal variable, for the implicit keep too (§3)."""
    if isinstance(action, Keep | FileInto) and not action.has_flags:
        return replace(action, flags=internal_flags(run), has_flags=True)
    return action


_ARGUMENTS = (Shape.STRING, Shape.STRINGS)
EXTENSION = Extension(
    "imap4flags",
    commands=tuple(Signature(name, _change_flags, _ARGUMENTS, optional=1) for name in _CHANGES),
    tests=(
        Signature("hasflag", _has_flag, (Shape.STRINGS, Shape.STRINGS), optional=1, matches=True),
    ),
    tags=(
        (("keep", "fileinto"), TagKind("flags", Shape.STRINGS, amend=_flags)),
        (FCC_COMMANDS, TagKind("flags", Shape.STRINGS, amend=_flags, check=needs_fcc)),
    ),
    amend=_amend,
)
