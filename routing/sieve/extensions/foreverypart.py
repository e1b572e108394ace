"""foreverypart and break (RFC 5703 §3): the whole message first, then each part, as they stand."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.errors import InvalidUse
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import COMPARISON_COST
from routing.sieve.parts import Loop, current_path, loops, part_at, paths
from routing.sieve.program import Block

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

NESTED_MAXIMUM = 8  # of loops in loops; at least 4


class Break(Exception):
    """Ends the innermost loop, or the one of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class _ForEveryPart:
    """A loop within a loop is over what the part at hand holds."""

    name: str
    block: Block

    def run(self, run: "Run") -> None:
        running = loops(run)
        base = current_path(run)
        parts = list(paths(part_at(run, base)))
        run.look_at(len(parts) * COMPARISON_COST)
        if running:
            del parts[0]
        loop = Loop()
        running.append(loop)
        try:
            for path in parts:
                loop.path = base + path
                if not loop.is_gone:
                    run.execute(self.block)
        except Break as end:
            if end.name not in ("", self.name):
                raise
        finally:
            running.pop()


@dataclass(frozen=True, slots=True)
class _Break:
    name: str

    def run(self, run: "Run") -> None:
        raise Break(self.name)


def _loop(call: Call) -> _ForEveryPart:
    if call.checker.within.count("foreverypart") >= NESTED_MAXIMUM:
        raise call.invalid(f"loops are nested {NESTED_MAXIMUM} deep at most")
    name, wanted = _name(call), _wanted_names(call)
    wanted[:] = [use for use in wanted if use[0] != name]
    if wanted and "foreverypart" not in call.checker.within:
        unknown, at = wanted[0]
        wanted.clear()
        raise InvalidUse(f"there is no loop {unknown[:200]!r} around this", at)
    return _ForEveryPart(name, call.block)


def _break(call: Call) -> _Break:
    if "foreverypart" not in call.checker.within:
        raise call.invalid("there is no loop to break")
    if name := _name(call):
        _wanted_names(call).append((name, call.at))
    return _Break(name)


def _wanted_names(call: Call) -> list[tuple[str, int]]:
    """The names in `break` whose loops are still to come: a block is checked before the loop that has it."""
    names = call.checker.state.setdefault("foreverypart", [])
    assert isinstance(names, list)
    return names


def _name(call: Call) -> str:
    name = call.tag("name") or ""
    if not isinstance(name, str):
        raise call.invalid("the name of a loop is a constant string")
    return name


_NAME = TagKind("name", Shape.STRING)
EXTENSION = Extension(
    "foreverypart",
    commands=(
        Signature("foreverypart", _loop, tags=(_NAME,), has_block=True),
        Signature("break", _break, tags=(_NAME,)),
    ),
)
