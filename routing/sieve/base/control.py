"""if, elsif, else and stop (RFC 5228 §3.1, §3.3)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.interpreter import Stop
from routing.sieve.language import Extension, Signature, Test, Tests
from routing.sieve.program import Block

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _If:
    test: Test
    block: Block

    def run(self, run: "Run") -> None:
        is_taken = self.test.holds(run)
        if is_taken:
            run.execute(self.block)
        run.was_taken = is_taken  # afterwards: the block may have had an `if` of its own


@dataclass(frozen=True, slots=True)
class _Elsif(_If):
    def run(self, run: "Run") -> None:
        if not _is_passed_over(run):
            _If.run(self, run)


@dataclass(frozen=True, slots=True)
class _Else:
    block: Block

    def run(self, run: "Run") -> None:
        if not _is_passed_over(run):
            run.execute(self.block)


def _is_passed_over(run: "Run") -> bool:
    if run.was_taken and run.trace is not None:
        run.note("passed over: a branch before it was taken")
    return run.was_taken


class _Stop:
    def run(self, run: "Run") -> None:
        raise Stop


def _if(call: Call) -> _If:
    return _If(call.tests[0], call.block)


def _elsif(call: Call) -> _Elsif:
    return _Elsif(call.tests[0], call.block)


def _else(call: Call) -> _Else:
    return _Else(call.block)


def _stop(call: Call) -> _Stop:
    return _Stop()


_BEFORE = ("if", "elsif")
EXTENSION = Extension(
    "",
    commands=(
        Signature("if", _if, tests=Tests.ONE, has_block=True),
        Signature("elsif", _elsif, tests=Tests.ONE, has_block=True, follows=_BEFORE),
        Signature("else", _else, has_block=True, follows=_BEFORE),
        Signature("stop", _stop),
    ),
)
