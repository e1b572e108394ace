"""A tree to a program: every name known, every argument in its place, every error told. RFC 5228 §2.6, §2.10.5."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from routing.sieve.calls import Call, TagUse, Value
from routing.sieve.errors import InvalidScript, InvalidUse, RunError, ScriptError, UnknownName
from routing.sieve.grammar import parse
from routing.sieve.language import Language, Named, Shape, Signature, Test, Tests
from routing.sieve.lexer import Source
from routing.sieve.limits import COMPILED_OCTETS_MAXIMUM, ERRORS_MAXIMUM, TOO_MANY_STEPS
from routing.sieve.nodes import Argument, Invocation, Number, String, StringList, Tag
from routing.sieve.program import Block, Program, Step
from routing.sieve.texts import Text

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

DEFAULT_COMPARATOR = "i;ascii-casemap"
DEFAULT_MATCH_TYPE = "is"

Thing = TypeVar("Thing")


def check(language: Language, script: bytes) -> Program:
    """Compile a script. Raises InvalidScript with all errors, of the grammar and of the use."""
    source = Source(script)
    tree, errors = parse(source)
    checker = Checker(language, source)
    block = checker.block(tree)
    found = sorted({*errors, *checker.errors})
    if found:
        raise InvalidScript(tuple(found[:ERRORS_MAXIMUM]))
    amendments = tuple(
        extension.amend
        for extension in language.extensions
        if extension.amend is not None and (not extension.name or extension.name in checker.enabled)
    )
    return Program(
        language,
        source,
        block,
        frozenset(checker.enabled),
        amendments,
        tuple(checker.warnings),
    )


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands for what is in error where that counts only if it runs (RFC 5463 §4)."""

    message: str

    def run(self, run: Any) -> None:
        raise RunError(self.message)

    def holds(self, run: Any) -> bool:
        raise RunError(self.message)


@dataclass(frozen=True, slots=True)
class CountedTest:
    """A test with its place, for the limit of instructions and the trace."""

    at: int
    name: str
    test: Test

    def holds(self, run: "Run") -> bool:
        if run.trace is not None:
            return run.traced(self)
        run.at = self.at
        run.steps_left -= 1
        if run.steps_left < 0:
            raise RunError(TOO_MANY_STEPS)
        return self.test.holds(run)


class Checker:
    """`enabled`: the extensions of `require`. `is_doubtful`: from here on, what is unknown is an error only if it runs."""

    def __init__(self, language: Language, source: Source) -> None:
        self.language = language
        self.errors: list[ScriptError] = []
        self.warnings: list[ScriptError] = []
        self.enabled: set[str] = set()
        self.is_doubtful = False
        self.only_require = True
        self.within: list[str] = []  # the commands whose blocks are around
        self.state: dict[str, Any] = {}  # an extension's own memory, by its name
        self._source = source
        self._octets = COMPILED_OCTETS_MAXIMUM
        self._decoders: list[Callable[[str], str]] = []
        self._string_compilers: list[Callable[[str, Checker], Text]] = []

    def enable(self, names: Sequence[str], at: int) -> None:
        """Require extensions. Raises InvalidUse for an unknown one."""
        for name in names:
            extension = self.language.by_name.get(name)
            if extension is not None:
                self.enabled.update((name, *extension.implies))
            elif not self._is_base_name(name):
                raise InvalidUse(f"this server does not know the extension {name[:200]!r}", at)
        readers = [one for one in self.language.extensions if one.name in self.enabled]
        self._decoders = [one.decode_string for one in readers if one.decode_string]
        self._string_compilers = [one.compile_string for one in readers if one.compile_string]

    def supports(self, name: str) -> bool:
        return name in self.language.by_name or self._is_base_name(name)

    def warn(self, at: int, message: str) -> None:
        self.warnings.append(self._source.error(at, message))

    def spend(self, octets: int) -> None:
        """Count the work of preparing a key. Raises InvalidUse when that is too much for one script."""
        self._octets -= octets
        if self._octets < 0:
            raise InvalidUse("the script's patterns are too many, or too large")

    def text(self, text: str) -> Text:
        """A string of the script, as its extensions read it."""
        for decode in self._decoders:
            text = decode(text)
        for compile_string in self._string_compilers:
            compiled = compile_string(text, self)
            if not isinstance(compiled, str):
                return compiled
            text = compiled
        return text

    def block(self, invocations: Sequence[Invocation]) -> Block:
        steps: list[Step] = []
        previous = ""
        for invocation in invocations:
            if self.only_require and invocation.name != "require":
                self.only_require = False
            command = self._built(invocation, self.language.commands, "command", previous)
            if command is not None:
                steps.append(Step(invocation.at, invocation.name, command))
            previous = invocation.name
        return tuple(steps)

    def _built(
        self,
        invocation: Invocation,
        known: Mapping[str, Named[Signature[Thing]]],
        what: str,
        previous: str = "",
    ) -> Thing | None:
        """The runnable thing, or None with its errors told."""
        try:
            signature = self._signature(invocation, known, what)
            call = self._call(invocation, signature)
            if signature.follows and previous not in signature.follows:
                allowed = " or ".join(map(repr, signature.follows))
                raise InvalidUse(f"{invocation.name!r} has its place behind {allowed} only")
            return signature.build(call)
        except InvalidUse as error:
            place = self._source.error(invocation.at if error.at is None else error.at, str(error))
            if self.is_doubtful and isinstance(error, UnknownName):
                broken: Any = Broken(place.message)
                return broken  # type: ignore[no-any-return]
            if not isinstance(error, _AlreadyTold) and len(self.errors) < ERRORS_MAXIMUM:
                self.errors.append(place)
            return None

    def _signature(
        self, invocation: Invocation, known: Mapping[str, Named[Signature[Thing]]], what: str
    ) -> Signature[Thing]:
        try:
            return self._enabled_thing(known.get(invocation.name), invocation.name, what)
        except InvalidUse:
            if not self.is_doubtful:
                self.block(invocation.block or ())  # for its errors
            raise

    def _call(self, invocation: Invocation, signature: Signature[Any]) -> Call:
        call = Call(invocation.name, invocation.at, self._source.line(invocation.at), self)
        try:
            self._read_arguments(call, invocation.arguments, signature)
            call.tests = self._tests(invocation, signature)
        except InvalidUse:
            self.block(invocation.block or ())  # for its errors
            raise
        call.block = self._block_of(invocation, signature)
        if signature.matches:
            self._choose_matching(call)
        for use in call.tags.values():
            if use.kind.check is not None:
                use.kind.check(call, use.value)
        return call

    def _tests(self, invocation: Invocation, signature: Signature[Any]) -> tuple[Test, ...]:
        count, wanted = len(invocation.tests), signature.tests
        is_list = wanted is Tests.MANY
        if invocation.lists_tests != is_list or not (is_list or count == (wanted is Tests.ONE)):
            raise InvalidUse(f"{invocation.name!r} takes {wanted.value}")
        found = []
        for inner in invocation.tests:
            test = self._built(inner, self.language.tests, "test")
            if test is not None:
                found.append(CountedTest(inner.at, inner.name, test))
        if len(found) < count:
            raise _AlreadyTold
        return tuple(found)

    def _block_of(self, invocation: Invocation, signature: Signature[Any]) -> Block:
        if invocation.block is None:
            if signature.has_block:
                raise InvalidUse(f"{invocation.name!r} needs a block")
            return ()
        if not signature.has_block:
            raise InvalidUse(f"{invocation.name!r} has no block")
        self.within.append(invocation.name)
        try:
            return self.block(invocation.block)
        finally:
            self.within.pop()

    def _read_arguments(
        self, call: Call, arguments: Sequence[Argument], signature: Signature[Any]
    ) -> None:
        rest = deque(arguments)
        positional: list[Argument] = []
        while rest:
            argument = rest.popleft()
            if isinstance(argument, Tag):
                if positional:
                    raise InvalidUse("tags stand before the other arguments", argument.at)
                self._read_tag(call, argument, rest, signature)
            else:
                positional.append(argument)
        shapes = signature.arguments
        missing = len(shapes) - len(positional)
        if missing > signature.optional or missing < 0:
            least = len(shapes) - signature.optional
            count = str(len(shapes)) if not signature.optional else f"{least} to {len(shapes)}"
            raise InvalidUse(f"{call.name!r} takes {count} arguments, not {len(positional)}")
        first = 0 if signature.is_open else missing
        call.arguments += [None] * len(shapes)
        call.places += [call.at] * len(shapes)
        for index, argument in enumerate(positional, first):
            call.arguments[index] = self._value(argument, shapes[index])
            call.places[index] = argument.at

    def _read_tag(
        self, call: Call, tag: Tag, rest: deque[Argument], signature: Signature[Any]
    ) -> None:
        if signature.matches and self._read_matching(call, tag, rest):
            return
        if signature.address_part and tag.name in self.language.address_parts:
            named = self.language.address_parts[tag.name]
            if call.address_part is not None:
                raise InvalidUse("there is more than one address part", tag.at)
            call.address_part = self._enabled_thing(named, f":{tag.name}", "tag", tag.at)
            return
        kind = next((kind for kind in signature.tags if kind.name == tag.name), None)
        if kind is None:
            named_tag = self.language.tags.get((call.name, tag.name))
            if named_tag is None:
                raise UnknownName(f"{call.name!r} knows no :{tag.name}", tag.at)
            kind = self._enabled_thing(named_tag, f":{tag.name}", "tag", tag.at)
        group = kind.group or kind.name
        if group in call.tags:
            other = call.tags[group].kind.name
            again = "again" if other == kind.name else f"beside :{other}"
            raise InvalidUse(f":{kind.name} stands {again}", tag.at)
        value: Value | None = None
        if kind.value is not None:
            value = self._value(self._value_of_tag(tag, rest), kind.value)
        call.tags[group] = TagUse(kind, tag.at, value)

    def _read_matching(self, call: Call, tag: Tag, rest: deque[Argument]) -> bool:
        if tag.name == "comparator":
            argument = self._value_of_tag(tag, rest)
            name = argument.value if isinstance(argument, String) else ""
            named = self.language.comparators.get(name)
            if named is None:
                raise UnknownName(
                    f"this server does not know the comparator {name[:200]!r}", tag.at
                )
            if call.comparator is not None:
                raise InvalidUse("there is more than one comparator", tag.at)
            call.comparator = self._enabled_thing(named, name, "comparator", tag.at)
            return True
        match_type = self.language.match_types.get(tag.name)
        if match_type is None:
            return False
        if call.match_type is not None:
            raise InvalidUse("there is more than one match type", tag.at)
        call.match_type = self._enabled_thing(match_type, f":{tag.name}", "match type", tag.at)
        if call.match_type.takes_value:
            argument = self._value_of_tag(tag, rest)
            if not isinstance(argument, String):
                raise InvalidUse(f":{tag.name} needs a string", tag.at)
            call.match_value = argument.value
        return True

    def _choose_matching(self, call: Call) -> None:
        if call.comparator is None:
            call.comparator = self.language.comparators[DEFAULT_COMPARATOR].thing
        if call.match_type is None:
            call.match_type = self.language.match_types[DEFAULT_MATCH_TYPE].thing

    def _value_of_tag(self, tag: Tag, rest: deque[Argument]) -> Argument:
        if not rest or isinstance(rest[0], Tag):
            raise InvalidUse(f":{tag.name} needs a value", tag.at)
        return rest.popleft()

    def _value(self, argument: Argument, shape: Shape) -> Value:
        if isinstance(argument, String):
            if shape is Shape.STRINGS:
                return (self._text_at(argument.at, argument.value),)
            if shape is Shape.STRING:
                return self._text_at(argument.at, argument.value)
        elif isinstance(argument, StringList):
            if shape is Shape.STRINGS:
                return tuple(self._text_at(item.at, item.value) for item in argument.items)
        elif isinstance(argument, Number) and shape is Shape.NUMBER:
            return argument.value
        raise InvalidUse(f"here should be {shape.value}", argument.at)

    def _text_at(self, at: int, text: str) -> Text:
        if not self._decoders and not self._string_compilers:
            return text
        try:
            return self.text(text)
        except InvalidUse as error:
            raise InvalidUse(str(error), at) from None

    def _enabled_thing(
        self, named: Named[Thing] | None, name: str, what: str, at: int | None = None
    ) -> Thing:
        if named is None:
            raise UnknownName(f"this server knows no {what} {name!r}", at)
        if "" in named.extensions or not self.enabled.isdisjoint(named.extensions):
            return named.thing
        wanted = " or ".join(f'"{extension}"' for extension in named.extensions)
        raise UnknownName(f"{name!r} needs: require {wanted}", at)

    def _is_base_name(self, name: str) -> bool:
        """Comparators of the base language may be required, though none needs to be (RFC 5228 §2.7.3)."""
        comparator = self.language.comparators.get(name.removeprefix("comparator-"))
        return (
            name.startswith("comparator-")
            and comparator is not None
            and "" in comparator.extensions
        )


class _AlreadyTold(InvalidUse):
    """An inner error was told; the outer thing is left out."""

    def __init__(self) -> None:
        super().__init__("")
