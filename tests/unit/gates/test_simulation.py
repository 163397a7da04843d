"""How often gates err, played through with the real votes and the real order of walks.

The long form plays ten times as many; ``python -m tests.bench.gates`` prints the table.
"""

from __future__ import annotations

import pytest

from tests.support.gate_simulation import BOUNDS, Site, rolled_back, share_of

SEED = 15
FEW, MANY = 2_000, 20_000


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_how_often_it_errs(bound):
    """Each promise about errors holds, with half of a good release's failures in blips."""
    gates = FEW if bound.site.journeys == 1 else FEW // 4
    assert bound.holds(share_of(bound.site, gates, SEED, bound.what))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_how_often_it_errs_of_many(bound):
    """The same of many more."""
    assert bound.holds(share_of(bound.site, MANY, SEED, bound.what))


def test_a_blip_would_confirm_itself():
    """Were failures confirmed at once, blips would roll good releases back far more often."""
    at_once = share_of(Site(confirm_after=-10.0), FEW, SEED, rolled_back)
    assert at_once > 3 * share_of(Site(), FEW, SEED, rolled_back)
    assert at_once > 0.01
