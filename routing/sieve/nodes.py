"""The tree of a script as it is written, before anything is known of its commands. RFC 5228 §8.2."""

from dataclasses import dataclass
from typing import NamedTuple


class Tag(NamedTuple):
    at: int
    name: str


class Number(NamedTuple):
    at: int
    value: int


class String(NamedTuple):
    at: int
    value: str


class StringList(NamedTuple):
    """One written in brackets."""

    at: int
    items: tuple[String, ...]


Argument = Tag | Number | String | StringList


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command or a test. `block` is None where none is written, and always in a test.

    `lists_tests`: its tests stand in parentheses, be it only one.
    """

    at: int
    name: str
    arguments: tuple[Argument, ...]
    tests: tuple["Invocation", ...]
    lists_tests: bool = False
    block: tuple["Invocation", ...] | None = None
