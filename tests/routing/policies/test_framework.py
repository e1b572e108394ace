"""Policies are found by themselves."""

from collections.abc import Iterator
from types import ModuleType

import pytest

from routing.policies import framework
from routing.policies.framework import Policy, policies


@pytest.fixture(autouse=True)
def found_anew() -> Iterator[None]:
    policies.cache_clear()
    yield
    policies.cache_clear()


def test_a_broken_file_is_left_out_and_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    everything = policies().keys()
    load = framework.import_module

    def broken(name: str) -> ModuleType:
        if name.endswith(".helo"):
            raise SyntaxError("of the test")
        return load(name)

    monkeypatch.setattr(framework, "import_module", broken)
    policies.cache_clear()
    assert policies().keys() == everything - {"helo"}
    assert "policy helo cannot be loaded" in caplog.text


def test_every_policy_tells_the_administrator_what_it_does() -> None:
    assert policies()
    for policy in policies().values():
        assert isinstance(policy, Policy)
        assert policy.title
        assert policy.does.endswith(".")
