"""ARC verification, RFC 8617: the suite of ValiMail's arc_test_suite, and hostile chains."""

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from asgiref.sync import async_to_sync

from tests.dns_server import DnsServer
from tests.transport.authentication.zone import Zone, text
from transport.authentication.chains import verify_arc
from transport.dns.resolver import Resolver

SUITE = Path(__file__).resolve().parents[2] / "vectors/arc-validation-tests.yml"


@lru_cache
def scenarios() -> tuple[dict[str, Any], ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(yaml.load_all(SUITE.read_text(), loader))


def cases() -> Iterator[Any]:
    for number, scenario in enumerate(scenarios()):
        for name in scenario["tests"]:
            yield pytest.param(number, name, id=name)


def records(scenario: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    return {name: {"TXT": [text(value)]} for name, value in scenario["txt-records"].items()}


def expected(case: dict[str, Any]) -> str:
    """The suite leaves out what becomes of a chain that itself says cv=fail: it fails (§5.2, step 2)."""
    return str(case["cv"]).lower() or "fail"


def message(case: dict[str, Any]) -> bytes:
    return str(case["message"] or "").encode().replace(b"\n", b"\r\n")


@pytest.mark.parametrize(("number", "name"), [*cases()])
def test_the_suite(number: int, name: str) -> None:
    scenario = scenarios()[number]
    case = scenario["tests"][name]
    evidence = async_to_sync(verify_arc)(message(case), Zone(records(scenario)))
    assert evidence.result == expected(case), (case["description"], evidence.reason)
    assert bool(evidence.sets) is (evidence.result == "pass")


def test_the_suite_over_a_dns_server() -> None:
    judged = 0
    for scenario in scenarios():
        with DnsServer(records(scenario)) as server:
            resolver = Resolver([server.address])
            for name, case in scenario["tests"].items():
                evidence = async_to_sync(verify_arc)(message(case), resolver.look_up_async)
                assert evidence.result == expected(case), name
                judged += 1
    assert judged > 170


def test_what_the_sealers_said() -> None:
    scenario = scenarios()[0]
    case = scenario["tests"]["cv_pass_i1_1"]
    [one] = async_to_sync(verify_arc)(message(case), Zone(records(scenario))).sets
    assert (one.instance, one.sealer) == (1, "example.org")
    assert one.results.startswith("lists.example.org;")
    assert "dmarc=pass" in one.results


def test_trouble_with_dns_is_a_failure() -> None:
    """§5.2.1."""
    scenario = scenarios()[0]
    content = message(scenario["tests"]["cv_pass_i1_1"])
    dns = Zone(records(scenario), broken=["dummy._domainkey.example.org"])
    assert async_to_sync(verify_arc)(content, dns).result == "fail"


@pytest.mark.parametrize("count", [51, 300])
def test_too_many_sets_ask_nothing(count: int) -> None:
    sets = b"".join(
        b"ARC-Seal: i=%d; a=rsa-sha256; cv=%s; d=example.org; s=dummy; b=AAAA\r\n"
        b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=example.org; s=dummy; h=from; bh=AAAA; b=AAAA\r\n"
        b"ARC-Authentication-Results: i=%d; example.org; none\r\n"
        % (number, b"pass" if number > 1 else b"none", number, number)
        for number in range(1, count + 1)
    )
    dns = Zone({})
    started = time.process_time()
    evidence = async_to_sync(verify_arc)(sets + b"From: a@example.org\r\n\r\nhi\r\n", dns)
    assert evidence.result == "fail"
    assert dns.asked == []
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("name", "covers"), [("cv_pass_i1_1", True), ("ams_fields_h_empty", False)]
)
def test_whether_the_author_is_covered(name: str, covers: bool) -> None:
    [(scenario, case)] = [(one, one["tests"][name]) for one in scenarios() if name in one["tests"]]
    evidence = async_to_sync(verify_arc)(message(case), Zone(records(scenario)))
    assert (evidence.result, evidence.covers_author) == ("pass", covers)
