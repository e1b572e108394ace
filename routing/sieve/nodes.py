"""The tree of a script as it is written, before anything is known of its commands. RFC 5228 §8.2."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Number:
    at: int
    value: int


@dataclass(frozen=True, slots=True)
class String:
    at: int
    value: str


@dataclass(frozen=True, slots=True)
class StringList:
    """One written in brackets."""

    at: int
    items: tuple[String, ...]


Argument = Tag | Number | String | StringList


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command or a test. `block` is None where none is written, and always in a test."""

    at: int
    name: str
    arguments: tuple[Argument, ...]
    tests: tuple["Invocation", ...]
    block: tuple["Invocation", ...] | None = None
