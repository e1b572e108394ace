"""include, return and global (RFC 6609): scripts within scripts, and the variables that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.scripts.names import ScriptNameInvalid, script_name
from routing.sieve.calls import Call
from routing.sieve.errors import InvalidScript, RunError
from routing.sieve.interpreter import Stop
from routing.sieve.language import Extension, Namespace, Shape, Signature, TagKind
from routing.sieve.program import Program
from routing.sieve.variables import SCOPE, Scope, scope_of, shared_values, store

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

DEPTH_MAXIMUM = 10  # at least 3 (§3.1)
INCLUDES_MAXIMUM = 100  # of one run
BLOCKS_MAXIMUM = 64  # around an include in all scripts: Python's stack has an end

_STACK, _SEEN = "scripts that include each other", "scripts that were included"


class Return(Stop):
    """Ends the script at hand; the main one stops by it (§3.3)."""


@dataclass(frozen=True, slots=True)
class _Include:
    """`blocks`: how many are around it in its script."""

    name: str
    is_global: bool
    once: bool
    optional: bool
    blocks: int

    def run(self, run: "Run") -> None:
        key = (self.name, self.is_global)
        seen: list[tuple[str, bool]] = run.state.setdefault(_SEEN, [])
        stack: dict[tuple[str, bool], int] = run.state.setdefault(_STACK, {})
        if self.once and key in seen:
            return
        program = self._program(run)
        if program is None:
            return
        if key in stack:
            raise RunError(f"the script {self.name!r} includes itself")
        if len(stack) >= DEPTH_MAXIMUM:
            raise RunError(f"scripts include each other {DEPTH_MAXIMUM} deep at most")
        if sum(stack.values()) + self.blocks > BLOCKS_MAXIMUM:
            raise RunError(f"scripts that include each other have {BLOCKS_MAXIMUM} blocks at most")
        if len(seen) >= INCLUDES_MAXIMUM:
            raise RunError(f"a script includes {INCLUDES_MAXIMUM} others at most")
        seen.append(key)
        stack[key] = self.blocks
        try:
            _run_within(run, program)
        except RunError as error:  # its place is one in that script
            raise RunError(f"{error} (in the included script {self.name!r})") from None
        del stack[key]

    def _program(self, run: "Run") -> Program | None:
        content = run.host.script(self.name, is_global=self.is_global)
        if content is None:
            if self.optional:
                run.note(f"there is no script {self.name!r}")
                return None
            raise RunError(f"there is no script {self.name!r} to include")
        try:
            return run.program.language.compiled(content)
        except InvalidScript as invalid:
            raise RunError(
                f"the included script {self.name!r} is broken: {invalid.errors[0]}"
            ) from None


def _run_within(run: "Run", program: Program) -> None:
    """Run another script as part of this one: with variables of its own, and its own `require` (§3.2, §3.4).

    An error keeps the place in the script where it is: nothing is put back.
    """
    outer, at, scope, matched = run.program, run.at, scope_of(run), run.match_values
    run.program, run.state[SCOPE], run.match_values = program, Scope(), ()
    run.add_amendments(program)
    try:
        run.execute(program.block)
    except Return:
        run.note("return")
    run.program, run.at, run.state[SCOPE], run.match_values = outer, at, scope, matched


class _Return:
    def run(self, run: "Run") -> None:
        raise Return


@dataclass(frozen=True, slots=True)
class _Global:
    names: Sequence[str]

    def run(self, run: "Run") -> None:
        scope = scope_of(run)
        for name in self.names:
            if name in scope.values:
                raise RunError(f"the variable {name!r} is this script's own already")
            scope.shared.add(name)


def _include(call: Call) -> _Include:
    name = call.text(0)
    if not isinstance(name, str):
        raise call.invalid("the name of a script is a constant string", 0)
    try:
        name = script_name(name)
    except ScriptNameInvalid as error:
        raise call.invalid(f"{name[:200]!r} is no name of a script: {error}", 0) from None
    is_global = call.tag_name("location") == "global"
    blocks = len(call.checker.within)
    return _Include(name, is_global, call.has("once"), call.has("optional"), blocks)


def _return(call: Call) -> _Return:
    return _Return()


def _global(call: Call) -> _Global:
    if "variables" not in call.checker.enabled:
        raise call.invalid('global needs: require "variables"')
    names = []
    for name in call.texts(0):
        if not isinstance(name, str) or not (name.isascii() and name.isidentifier()):
            raise call.invalid("a variable's name is a constant string of letters, digits and _", 0)
        names.append(name.lower())
    return _Global(names)


EXTENSION = Extension(
    "include",
    commands=(
        Signature(
            "include",
            _include,
            (Shape.STRING,),
            tags=(
                TagKind("personal", group="location"),
                TagKind("global", group="location"),
                TagKind("once"),
                TagKind("optional"),
            ),
        ),
        Signature("return", _return),
        Signature("global", _global, (Shape.STRINGS,)),
    ),
    namespaces=(
        Namespace(
            "global",
            lambda run, name: shared_values(run).get(name, ""),
            lambda run, name, value: store(run, shared_values(run), name, value),
        ),
    ),
)
