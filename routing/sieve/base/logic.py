"""allof, anyof, not, true, false (RFC 5228 §5.2, §5.3, §5.6, §5.8, §5.10)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Signature, Test, Tests

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _AllOf:
    tests: tuple[Test, ...]

    def holds(self, run: "Run") -> bool:
        for test in self.tests:  # noqa: SIM110  # all() takes half as much again
            if not test.holds(run):
                return False
        return True


@dataclass(frozen=True, slots=True)
class _AnyOf:
    tests: tuple[Test, ...]

    def holds(self, run: "Run") -> bool:
        for test in self.tests:  # noqa: SIM110
            if test.holds(run):
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Not:
    test: Test

    def holds(self, run: "Run") -> bool:
        return not self.test.holds(run)


@dataclass(frozen=True, slots=True)
class _Constant:
    value: bool

    def holds(self, run: "Run") -> bool:
        return self.value


def _allof(call: Call) -> _AllOf:
    return _AllOf(call.tests)


def _anyof(call: Call) -> _AnyOf:
    return _AnyOf(call.tests)


def _not(call: Call) -> _Not:
    return _Not(call.tests[0])


def _true(call: Call) -> _Constant:
    return _Constant(True)


def _false(call: Call) -> _Constant:
    return _Constant(False)


EXTENSION = Extension(
    "",
    tests=(
        Signature("allof", _allof, tests=Tests.MANY),
        Signature("anyof", _anyof, tests=Tests.MANY),
        Signature("not", _not, tests=Tests.ONE),
        Signature("true", _true),
        Signature("false", _false),
    ),
)
