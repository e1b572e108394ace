"""A user's own counts laid over those of the domain, where the user has taught enough.

What the user taught counts as much as what everybody in the domain did, but one message of the user no more than
OWN_WEIGHT of others: the rates in which a token stands in spam and in ham are mixed. The totals stay the domain's, so
that the layer of a user who alone taught the domain changes nothing. Both classes are mixed in one proportion: a token
that the user never met keeps the odds that the domain gives it.
"""

from collections.abc import Mapping

from routing.spam.classifier import Counts, Totals

LEAST_TAUGHT = 20  # messages of each class
OWN_WEIGHT = 20
MOST = 0.5


def layered(
    domain: Mapping[int, Counts], totals: Totals, own: Mapping[int, Counts], taught: Totals
) -> Mapping[int, Counts]:
    """The counts for one user; `totals` go with them. Those of the domain, until the user has taught enough."""
    if min(taught.spam, taught.ham) < LEAST_TAUGHT:
        return domain
    share = min(_share(totals.spam, taught.spam), _share(totals.ham, taught.ham))
    spam, ham = share * totals.spam / taught.spam, share * totals.ham / taught.ham
    rest = 1 - share
    none = Counts(0, 0)
    return {
        key: Counts(
            rest * of_all.spam + spam * of_one.spam,
            rest * of_all.ham + ham * of_one.ham,
        )
        for key in domain.keys() | own.keys()
        for of_all, of_one in [(domain.get(key, none), own.get(key, none))]
    }


def _share(total: int, taught: int) -> float:
    return min(MOST, OWN_WEIGHT * taught / (OWN_WEIGHT * taught + total))
