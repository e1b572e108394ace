"""What a language is made of: extensions, each with its commands, tests, tagged arguments and match types.

An extension is a value; a package outside this one makes its own and compiles with `standard().extended(EXTENSION)`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from routing.sieve import base, extensions
from routing.sieve.matching import Comparator, MatchType
from routing.sieve.texts import Text

if TYPE_CHECKING:
    from accounts.mailstore.headers import HeaderAddress
    from routing.sieve.actions import Action
    from routing.sieve.calls import Call
    from routing.sieve.checker import Checker
    from routing.sieve.interpreter import Run
    from routing.sieve.message import HeaderField
    from routing.sieve.program import Program


class Shape(Enum):
    """What stands at the place of an argument; a single string may stand for a list of one."""

    STRING = "a string"
    STRINGS = "a list of strings"
    NUMBER = "a number"


class Tests(Enum):
    NONE = "no test"
    ONE = "one test"
    MANY = "a list of tests in parentheses"


class Command(Protocol):
    """A checked command; it says by its `run` what the script wants."""

    def run(self, run: "Run") -> None: ...


class Test(Protocol):
    """A checked test."""

    def holds(self, run: "Run") -> bool: ...


COMPILED_MAXIMUM = 64

# The fields of some names, those of the first name first.
FieldSource = Callable[["Run", "Sequence[str]"], "Sequence[HeaderField]"]
Built = TypeVar("Built", covariant=True)


@dataclass(frozen=True, slots=True)
class TagKind:
    """A tagged argument. Of one `group` (its own name if "") a command takes one at most.

    `value`: what follows it. `amend` changes the action of the command that has it; `select` the fields that a test
    looks at (what `replaces` them altogether, first). Both get the tag's value: an int, a Text, a tuple of Texts, or None.
    """

    name: str
    value: Shape | None = None
    group: str = ""
    amend: Callable[["Run", "Action", Any], "Action"] | None = None
    select: Callable[[FieldSource, "Call", Any], FieldSource] | None = None
    replaces: bool = False
    check: Callable[["Call", Any], None] | None = None


@dataclass(frozen=True, slots=True)
class Signature(Generic[Built]):
    """A command or a test, and how it is written. `build` gets a checked Call, and raises InvalidUse.

    `optional` arguments at the beginning (or, `is_open`, at the end) may be left out, and are None. `matches`: it takes
    a match type and a comparator; `address_part`: an address part. `follows`: it stands behind one of these commands
    only.
    """

    name: str
    build: Callable[["Call"], Built]
    arguments: tuple[Shape, ...] = ()
    optional: int = 0
    is_open: bool = False
    tags: tuple[TagKind, ...] = ()
    tests: Tests = Tests.NONE
    has_block: bool = False
    matches: bool = False
    address_part: bool = False
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressPart:
    """`of` gives the part of an address that is compared, or None where it has none."""

    name: str
    of: Callable[["HeaderAddress"], str | None]


@dataclass(frozen=True, slots=True)
class Namespace:
    """Variables that an extension keeps, as `global.name`. Those of one without `set` are only read."""

    name: str
    get: Callable[["Run", str], str]
    set: Callable[["Run", str, str], None] | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """`name` is what `require` names; "" is the base language, which needs none.

    `tags`: arguments added to the commands and tests of those names. `decode_string` changes a constant as it is
    compiled (in all strings); `compile_string` makes a template of it. `amend` changes every action of a script that
    requires the extension. `namespaces` are of variables (RFC 5229 §3). `implies` are required with it. An `is_hidden` one is not
    told to clients; a script that requires one `is_for_delivery` follows no IMAP command (RFC 6785 §3.11).
    """

    name: str
    commands: tuple[Signature[Command], ...] = ()
    tests: tuple[Signature[Test], ...] = ()
    tags: tuple[tuple[tuple[str, ...], TagKind], ...] = ()
    match_types: tuple[MatchType, ...] = ()
    comparators: tuple[Comparator, ...] = ()
    address_parts: tuple[AddressPart, ...] = ()
    decode_string: Callable[[str], str] | None = None
    compile_string: Callable[[str, "Checker"], Text] | None = None
    namespaces: tuple[Namespace, ...] = ()
    amend: Callable[["Run", "Action"], "Action"] | None = None
    implies: tuple[str, ...] = ()
    is_hidden: bool = False
    is_for_delivery: bool = False


@dataclass(frozen=True, slots=True)
class Named(Generic[Built]):
    """A thing of a language, and the extensions that bring it: one of them has to be required."""

    thing: Built
    extensions: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Language:
    extensions: tuple[Extension, ...]
    by_name: dict[str, Extension] = field(init=False)
    commands: dict[str, Named[Signature[Command]]] = field(init=False)
    tests: dict[str, Named[Signature[Test]]] = field(init=False)
    tags: dict[tuple[str, str], Named[TagKind]] = field(init=False)
    match_types: dict[str, Named[MatchType]] = field(init=False)
    comparators: dict[str, Named[Comparator]] = field(init=False)
    address_parts: dict[str, Named[AddressPart]] = field(init=False)
    _compiled: dict[bytes, "Program"] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        def gather(name: str, found: Iterable[tuple[Any, Any, str]]) -> None:
            named: dict[Any, Named[Any]] = {}
            for key, thing, extension in found:
                others = named[key].extensions if key in named else ()
                named[key] = Named(thing, (*others, extension))
            object.__setattr__(self, name, named)

        every = self.extensions
        object.__setattr__(self, "by_name", {one.name: one for one in every if one.name})
        for kind in ("commands", "tests", "match_types", "comparators", "address_parts"):
            gather(kind, ((it.name, it, one.name) for one in every for it in getattr(one, kind)))
        gather(
            "tags",
            (
                ((target, tag.name), tag, one.name)
                for one in every
                for targets, tag in one.tags
                for target in targets
            ),
        )

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What `require` takes, as ManageSieve tells it (RFC 5804 §1.7)."""
        return tuple(sorted(one.name for one in self.extensions if one.name and not one.is_hidden))

    def extended(self, *more: Extension) -> "Language":
        """This language and more; a later extension's command wins over an earlier one's of the same name."""
        return Language((*self.extensions, *more))

    def compiled(self, script: bytes) -> "Program":
        """The same as `compile`, remembered: for a text that comes again and again. Raises InvalidScript."""
        program = self._compiled.get(script)
        if program is None:
            if len(self._compiled) >= COMPILED_MAXIMUM:
                self._compiled.pop(next(iter(self._compiled)), None)
            program = self._compiled[script] = self.compile(script)
        return program

    def compile(self, script: bytes) -> "Program":
        """Raises InvalidScript."""
        from routing.sieve.checker import check

        return check(self, script)


@cache
def standard() -> Language:
    """Everything that this server knows: the Extensions that the modules of `base` and of `extensions` hold."""
    modules = [
        import_module(f"{package.__name__}.{module.name}")
        for package in (base, extensions)
        for module in iter_modules(package.__path__)
    ]
    return Language(
        tuple(
            value
            for module in modules
            for value in vars(module).values()
            if isinstance(value, Extension)
        )
    )
