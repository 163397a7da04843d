"""Clearly slower, or nothing."""

from __future__ import annotations

import random

import pytest

from agent.gates.slower import slower

DICE = random.Random(1)
BEFORE = [DICE.uniform(0.9, 1.1) for _ in range(200)]


def test_clearly_slower():
    """Both medians are told."""
    now, then = slower([1.5, 1.6, 1.55, 1.5, 1.7], BEFORE)
    assert now == 1.55
    assert then == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        ([1.0, 1.02, 0.98, 1.05, 0.95], BEFORE),
        ([1.11] * 5, BEFORE),  # surely slower, and nobody would care
        ([0.5, 1.5, 0.5, 1.5, 1.5], BEFORE),  # perhaps
        ([1.5] * 4, BEFORE),
        ([1.5] * 5, BEFORE[:19]),
        ([1.0] * 5, [1.0] * 200),
    ],
)
def test_not_clearly(now, before):
    """Too few, too little, or by chance: nothing is said."""
    assert slower(now, before) is None


def test_chance_is_no_reason():
    """Releases like all before are called slower once in a thousand times at most, by twice."""
    dice = random.Random(2)
    drawn = [[dice.lognormvariate(0, 0.4) for _ in range(205)] for _ in range(2000)]
    assert sum(slower(one[:5], one[5:]) is not None for one in drawn) <= 4
