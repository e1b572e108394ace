"""Variables of a run, and the strings that refer to them (RFC 5229 §3, §6)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from routing.sieve.errors import InvalidUse, RunError
from routing.sieve.language import Namespace
from routing.sieve.limits import TEXT_MAXIMUM
from routing.sieve.texts import Text

if TYPE_CHECKING:
    from routing.sieve.checker import Checker
    from routing.sieve.interpreter import Run

VARIABLES_MAXIMUM = 256  # of one script; at least 128 (§6)
VALUE_MAXIMUM = 65_536  # characters; what is longer is cut off

_REFERENCE = re.compile(
    r"\$\{((?:[A-Za-z_][A-Za-z0-9_]*+\.(?:(?:[0-9]++|[A-Za-z_][A-Za-z0-9_]*+)\.)*)?)"
    r"([0-9]++|[A-Za-z_][A-Za-z0-9_]*+)\}"
)
_NAME = re.compile(r"((?:[A-Za-z_][A-Za-z0-9_]*\.)*)([A-Za-z_][A-Za-z0-9_]*)")

Reader = Callable[["Run"], str]


@dataclass(slots=True)
class Scope:
    """The variables of one script. Those named in `shared` are kept in `run.state[SHARED]`."""

    values: dict[str, str] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)


SCOPE, SHARED = "variables", "shared variables"


def scope_of(run: "Run") -> Scope:
    scope = run.state.get(SCOPE)
    if scope is None:
        scope = run.state[SCOPE] = Scope()
    assert isinstance(scope, Scope)
    return scope


def shared_values(run: "Run") -> dict[str, str]:
    """The variables that all scripts of a run share (RFC 6609 §3.4)."""
    values = run.state.setdefault(SHARED, {})
    assert isinstance(values, dict)
    return values


def _values_for(run: "Run", name: str) -> dict[str, str]:
    scope = scope_of(run)
    return shared_values(run) if name in scope.shared else scope.values


def get_variable(run: "Run", name: str) -> str:
    """The value of a name in lower case; "" where there is none."""
    return _values_for(run, name).get(name, "")


def set_variable(run: "Run", name: str, value: str) -> None:
    """Raises RunError when there are too many."""
    store(run, _values_for(run, name), name, value)


def store(run: "Run", values: dict[str, str], name: str, value: str) -> None:
    if name not in values and len(values) >= VARIABLES_MAXIMUM:
        raise RunError(f"a script has {VARIABLES_MAXIMUM} variables at most")
    values[name] = value = value[:VALUE_MAXIMUM]
    if run.trace is not None:
        run.note(f"{name} = {value[:200]!r}")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A string with references in it."""

    source: str
    pieces: tuple[str | Reader, ...]

    def expand(self, run: "Run") -> str:
        texts = []
        length = 0
        for piece in self.pieces:
            text = piece if isinstance(piece, str) else piece(run)
            length += len(text)
            if length > TEXT_MAXIMUM:
                raise RunError("a string becomes too long")
            texts.append(text)
        run.look_at(length)
        return "".join(texts)


def compile_references(text: str, checker: "Checker") -> Text:
    """The string, or what expands it. Raises InvalidUse for an unknown namespace."""
    if "${" not in text:
        return text
    pieces: list[str | Reader] = []
    position = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > position:
            pieces.append(text[position : match.start()])
        pieces.append(_reader(match[1].lower(), match[2].lower(), checker))
        position = match.end()
    if position == 0:
        return text
    if position < len(text):
        pieces.append(text[position:])
    return Expansion(text, tuple(pieces))


def writer(name: Text, checker: "Checker") -> Callable[["Run", str], None]:
    """What sets the variable of this name. Raises InvalidUse for a name that cannot be set."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise InvalidUse("a variable's name is a constant string of letters, digits and _")
    plain = match[2].lower()
    if not match[1]:
        return lambda run, value: set_variable(run, plain, value)
    namespace = _namespace(match[1].lower(), checker)
    put = namespace.set
    if put is None:
        raise InvalidUse(f"variables of {namespace.name!r} cannot be set")
    return lambda run, value: put(run, plain, value)


def _reader(prefix: str, name: str, checker: "Checker") -> Reader:
    if prefix:
        namespace = _namespace(prefix, checker)
        return lambda run: namespace.get(run, name)
    if name.isdigit():
        index = int(name[-9:]) if len(name.lstrip("0")) < 9 else -1
        return lambda run: run.match_values[index] if 0 <= index < len(run.match_values) else ""
    return lambda run: get_variable(run, name)


def _namespace(prefix: str, checker: "Checker") -> Namespace:
    name = prefix.rstrip(".")
    for extension in checker.language.extensions:
        for namespace in extension.namespaces:
            if namespace.name == name and extension.name in checker.enabled:
                return namespace
    raise InvalidUse(f"there is no namespace {name!r} of variables")
