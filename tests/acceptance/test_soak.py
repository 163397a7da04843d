"""Hundreds of runs at full rate: nothing of the agent's grows."""

from __future__ import annotations

import pytest

from tests.soak import report
from tests.soak.soak import soak


async def check(folder, runs: int) -> None:
    done = await soak(folder, runs)
    told = report.text(done)
    assert not done.broken, told
    words = {"pass", "fail", "not_measured"}
    assert words <= set(done.results), told
    assert done.results["pass"] > done.results.total() / 2, told
    assert {"max_runs", "fresh", "worker_lost"} <= set(done.restarts), told


@pytest.mark.timeout(300)
async def test_nothing_grows_in_a_hundred_runs(tmp_path):
    """Runs that pass, fail, raise, hang, fork and kill their worker, with workers replaced all
    along: the supervisor's memory, descriptors, threads, processes and scratch stay as they
    were, every slot has one word, and nothing is left at the end."""
    await check(tmp_path, 120)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_nothing_grows_in_five_hundred_runs(tmp_path):
    """The same for longer."""
    await check(tmp_path, 500)
