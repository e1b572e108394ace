"""A command or test with its arguments checked: what its `build` gets to make the runnable thing of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.mailstore.headers import HeaderAddress
from routing.sieve.actions import Action
from routing.sieve.errors import InvalidUse
from routing.sieve.language import AddressPart, FieldSource, TagKind, Test
from routing.sieve.matching import (
    COMPARISON_COST,
    Comparator,
    CostlyMatcher,
    Keys,
    Matcher,
    MatchType,
)
from routing.sieve.program import Block
from routing.sieve.texts import Text

if TYPE_CHECKING:
    from routing.sieve.checker import Checker
    from routing.sieve.interpreter import Run

Value = int | Text | tuple[Text, ...]


@dataclass(slots=True)
class TagUse:
    kind: TagKind
    at: int
    value: Value | None


@dataclass(slots=True)
class Call:
    """`arguments` are in their order, a left-out one None. `tags` are by group; all offsets are those of the script.

    `checker` is for what few need: the extensions that are enabled, and what is checked after this.
    """

    name: str
    at: int
    line: int
    checker: "Checker"
    arguments: list[Value | None] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    tags: dict[str, TagUse] = field(default_factory=dict)
    tests: tuple[Test, ...] = ()
    block: Block = ()
    comparator: Comparator | None = None
    match_type: MatchType | None = None
    match_value: str = ""
    address_part: AddressPart | None = None

    def number(self, index: int) -> int:
        value = self.arguments[index]
        assert isinstance(value, int)
        return value

    def text(self, index: int) -> Text:
        value = self.arguments[index]
        assert value is not None
        assert not isinstance(value, int | tuple)
        return value

    def texts(self, index: int) -> tuple[Text, ...]:
        value = self.arguments[index]
        assert isinstance(value, tuple)
        return value

    def has(self, group: str) -> bool:
        """Whether a tag of this group (a tag without one is its own) is there."""
        return group in self.tags

    def tag(self, group: str) -> Any:
        """The value of the tag of this group, or None."""
        use = self.tags.get(group)
        return None if use is None else use.value

    def tag_name(self, group: str) -> str:
        """Which tag of the group is there, or ""."""
        use = self.tags.get(group)
        return "" if use is None else use.kind.name

    def invalid(self, message: str, argument: int | None = None) -> InvalidUse:
        """To raise: an error at the place of an argument, or of the whole."""
        return InvalidUse(message, None if argument is None else self.places[argument])

    def matcher(self, keys: Sequence[Text]) -> Matcher:
        """The match type and the comparator that were chosen, with these keys. Raises InvalidUse."""
        assert self.match_type is not None
        assert self.comparator is not None
        matcher = self.match_type.build(
            Keys(keys, self.checker.spend), self.comparator, self.match_value
        )
        if self.comparator.cost == 1:
            return matcher
        return CostlyMatcher(matcher, self.comparator.cost * len(keys))

    @property
    def part_of(self) -> Callable[[HeaderAddress], str | None]:
        """The address part that was chosen; the whole address by default."""
        return whole_address if self.address_part is None else self.address_part.of

    @property
    def amend(self) -> Callable[["Run", Action], Action]:
        """What the tags make of the command's action."""
        changes = [(u.kind.amend, u.value) for u in self.tags.values() if u.kind.amend is not None]

        def amended(run: "Run", action: Action) -> Action:
            for change, value in changes:
                action = change(run, action, value)
            return action

        return amended

    @property
    def fields(self) -> FieldSource:
        """Where the test finds the header fields of a name."""
        source: FieldSource = message_fields
        for use in sorted(self.tags.values(), key=lambda use: (not use.kind.replaces, use.at)):
            if use.kind.select is not None:
                source = use.kind.select(source, self, use.value)
        return source


def whole_address(address: HeaderAddress) -> str | None:
    return f"{address.local_part}@{address.domain}" if address.domain else address.local_part


def message_fields(run: "Run", names: Sequence[str]) -> Sequence[Any]:
    found: list[Any] = []
    for name in names:
        named = run.message.fields(name)
        run.look_at(len(named) * COMPARISON_COST)  # a script may name a field thousands of times
        found += named
    return found
