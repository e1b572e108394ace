"""SPF, RFC 7208: openspf.org's suite, trouble with DNS, and records made to cost much."""

import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import dns.name
import pytest
import yaml
from asgiref.sync import async_to_sync

from routing.evidence import SpfEvidence
from tests.dns_server import DnsServer
from tests.transport.authentication.zone import Zone
from transport.authentication import spf
from transport.authentication.look_up import LookUp
from transport.dns.resolver import Resolver

SUITE = Path(__file__).resolve().parents[2] / "vectors/rfc7208-tests.yml"
Record = dict[str, Any]


@lru_cache
def scenarios() -> tuple[dict[str, Any], ...]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(yaml.load_all(SUITE.read_text(), loader))


def cases() -> Iterator[Any]:
    for number, scenario in enumerate(scenarios()):
        for name in scenario["tests"]:
            yield pytest.param(number, name, id=name)


def zone(scenario: dict[str, Any]) -> Zone:
    """The suite's zone. Its SPF records stand for TXT records too, where a name has none of its own."""
    records: dict[str, dict[str, list[str]]] = {}
    broken = []
    for name, entries in scenario["zonedata"].items():
        found: dict[str, list[str]] = {}
        for entry in entries:
            if entry == "TIMEOUT":
                if found.get("TXT", ["NONE"]) == ["NONE"]:
                    broken.append(name.lower())
                continue  # after a record it is for the types that are not there
            [(kind, value)] = entry.items()
            if (kind, value) == ("SPF", "TIMEOUT"):
                continue  # of the type that nobody asks for
            found.setdefault(kind, []).append(value)
        found.setdefault("TXT", found.pop("SPF", []))
        for kind, values in found.items():
            if "TIMEOUT" in values:
                broken.append(name.lower())
            shown = [_shown(kind, value) for value in values if value not in ("NONE", "TIMEOUT")]
            records.setdefault(name.lower(), {})[kind] = shown
    return Zone(records, broken=broken)


def _shown(kind: str, value: Any) -> str:
    """A value in the form of a zone file."""
    if kind == "MX":
        return f"{value[0]} {value[1].rstrip('.')}."
    if kind in ("PTR", "CNAME"):
        return f"{value.rstrip('.')}."
    if kind != "TXT":
        return str(value)
    strings = [value] if isinstance(value, str) else value or [""]
    return " ".join(
        '"' + "".join(f"\\{octet:03d}" for octet in one.encode()) + '"' for one in strings
    )


def check(case: dict[str, Any], look_up: LookUp, *recall: spf.Recall) -> SpfEvidence:
    return async_to_sync(spf.check_spf)(
        case["host"], case["mailfrom"] or "", case["helo"], "receiver.example", look_up, *recall
    )


def agrees(case: dict[str, Any], evidence: SpfEvidence) -> bool:
    allowed = case["result"] if isinstance(case["result"], list) else [case["result"]]
    if evidence.result not in allowed:
        return False
    explanation = case.get("explanation", "DEFAULT")
    return explanation == "DEFAULT" or evidence.explanation == explanation


@pytest.mark.parametrize(("number", "name"), [*cases()])
def test_the_suite(number: int, name: str) -> None:
    scenario = scenarios()[number]
    case = scenario["tests"][name]
    evidence = check(case, zone(scenario))
    assert agrees(case, evidence), (case, evidence)


def test_the_suite_over_a_dns_server() -> None:
    judged = 0
    for scenario in scenarios():
        fake = zone(scenario)
        records = {
            dns.name.from_text(name).to_text(): kinds for name, kinds in fake.records.items()
        }
        with DnsServer(records) as server:
            for name in fake.broken:
                server.fail(name)
            resolver = Resolver([server.address])
            for name, case in scenario["tests"].items():
                for recall in ((), (resolver.recall,)):  # the second time out of the cache
                    evidence = check(case, resolver.look_up_async, *recall)
                    assert agrees(case, evidence), (name, case, evidence)
                judged += 1
    assert judged > 200


def test_what_was_checked_is_told() -> None:
    zone_of_a = Zone({"a.test": {"TXT": ['"v=spf1 ip4:192.0.2.1 -all"']}})
    check_spf = async_to_sync(spf.check_spf)
    assert check_spf("192.0.2.1", "joe@A.test", "b.test", "r.test", zone_of_a) == SpfEvidence(
        "pass", "a.test"
    )
    assert check_spf("192.0.2.2", "", "a.test", "r.test", zone_of_a) == SpfEvidence(
        "fail", "a.test", "helo"
    )


def test_silence_is_a_temporary_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spf, "QUERY_SECONDS", 0.1)
    zone_of_a = Zone({"a.test": {"TXT": ['"v=spf1 a -all"']}}, silent=["a.test"])
    evidence = async_to_sync(spf.check_spf)(
        "192.0.2.1", "joe@a.test", "h.test", "r.test", zone_of_a
    )
    assert evidence.result == "temperror"


def bombs() -> Iterator[Any]:
    names = {f"h{i}.a.test": {"A": ["192.0.2.9"]} for i in range(2000)}
    include = {
        f"i{i}.a.test": {"TXT": [f'"v=spf1 include:i{i + 1}.a.test include:i{i + 2}.a.test -all"']}
        for i in range(100)
    }
    yield pytest.param({"a.test": {"TXT": ['"v=spf1 include:a.test -all"']}}, 1, id="itself")
    yield pytest.param(
        {"a.test": {"TXT": ['"v=spf1 include:i0.a.test -all"']}} | include, 12, id="includes"
    )
    hosts = {"MX": [f"1 h{i}.a.test." for i in range(2000)]}
    yield pytest.param(
        {"a.test": {"TXT": ['"v=spf1 mx -all"'], **hosts}} | names, 12, id="2,000 exchanges"
    )
    tens = {
        f"m{i}.a.test": {"MX": [f"1 h{i * 10 + j}.a.test." for j in range(10)]} for i in range(10)
    }
    terms = " ".join(f"mx:m{i}.a.test" for i in range(10))
    yield pytest.param(
        {"a.test": {"TXT": [f'"v=spf1 {terms} -all"']}} | tens | names, 111, id="ten times ten"
    )
    long = " ".join(f'"{"ip4:203.0.113.1 " * 15}"' for _ in range(250))
    yield pytest.param({"a.test": {"TXT": [f'"v=spf1 " {long} "-all"']}}, 1, id="60 KB")
    yield pytest.param(
        {"a.test": {"TXT": ['"v=spf1 exists:%{l}.%{l}.%{l}.%{l}.a.test -all"']}}, 2, id="macros"
    )
    dots = '"' + "x=%{l1r.-+,/_=}." * 15 + '"'
    yield pytest.param(
        {"a.test": {"TXT": [f'"v=spf1 " {f"{dots} " * 250} " -all"']}}, 1, id="60 KB of macros"
    )
    chain = {
        f"j{i}.a.test": {"TXT": [f'"v=spf1 " {f"{dots} " * 15} " include:j{i + 1}.a.test -all"']}
        for i in range(20)
    }
    yield pytest.param(
        {"a.test": {"TXT": ['"v=spf1 include:j0.a.test -all"']}} | chain, 12, id="macros in a chain"
    )
    short = " ".join('" x=' + "%{l1}." * 40 + '"' for _ in range(13))
    chain = {
        f"k{i}.a.test": {"TXT": [f'"v=spf1 " {short} " include:k{i + 1}.a.test -all"']}
        for i in range(20)
    }
    yield pytest.param(
        {"a.test": {"TXT": ['"v=spf1 include:k0.a.test -all"']}} | chain, 12, id="many macros"
    )
    words = " ".join('"' + "%{s}" * 60 + '"' for _ in range(16))
    yield pytest.param(
        {"a.test": {"TXT": ['"v=spf1 -all exp=e.a.test"']}, "e.a.test": {"TXT": [words]}},
        2,
        id="an explanation",
    )


@pytest.mark.parametrize(("records", "questions"), [*bombs()])
def test_bombs_are_bounded(records: dict[str, dict[str, list[str]]], questions: int) -> None:
    zone_of_a = Zone(records)
    started = time.process_time()
    sender = f"{'a.' * 30}b@a.test"
    evidence = async_to_sync(spf.check_spf)("192.0.2.1", sender, "h.test", "r.test", zone_of_a)
    assert evidence.result in {"fail", "permerror"}
    assert len(zone_of_a.asked) <= questions
    assert len(evidence.explanation) <= 500
    assert time.process_time() - started < 1
