"""How a user's own counts lie over the domain's."""

import pytest

from routing.spam.classifier import Classified, Counts, Totals, classify
from routing.spam.layers import layered

TOTALS = Totals(1000, 1000)
DOMAIN = {1: Counts(400, 4), 2: Counts(3, 300), 3: Counts(50, 50)}


def points(counts: object, *keys: int) -> float:
    found = classify({key: str(key) for key in keys}, counts, TOTALS)
    assert isinstance(found, Classified)
    return found.points


def test_a_user_who_taught_little_has_no_layer() -> None:
    assert layered(DOMAIN, TOTALS, {1: Counts(0, 20)}, Totals(19, 500)) is DOMAIN
    assert layered(DOMAIN, TOTALS, {1: Counts(0, 20)}, Totals(500, 19)) is DOMAIN


def test_a_user_who_alone_taught_the_domain_changes_nothing() -> None:
    assert layered(DOMAIN, TOTALS, DOMAIN, TOTALS) == DOMAIN


def test_what_the_user_taught_wins_over_what_others_say() -> None:
    wanted = layered(DOMAIN, TOTALS, {1: Counts(0, 40)}, Totals(50, 50))
    assert points(DOMAIN, 1) > 1 > 0 > points(wanted, 1)
    unwanted = layered(DOMAIN, TOTALS, {2: Counts(45, 0)}, Totals(50, 50))
    assert points(DOMAIN, 2) < 0 < points(unwanted, 2)


@pytest.mark.parametrize("taught", [Totals(20, 20), Totals(20, 2000), Totals(900, 30)])
def test_a_token_that_the_user_never_met_keeps_its_odds(taught: Totals) -> None:
    own = layered(DOMAIN, TOTALS, {}, taught)
    for key in DOMAIN:
        assert points(own, key) == pytest.approx(points(DOMAIN, key), rel=0.1, abs=0.02)


def test_one_message_of_the_user_weighs_no_more_than_twenty_of_others() -> None:
    totals = Totals(5000, 5000)
    own = layered({1: Counts(40, 0)}, totals, {1: Counts(0, 1)}, Totals(20, 20))
    assert own[1].ham <= 20 < own[1].spam
