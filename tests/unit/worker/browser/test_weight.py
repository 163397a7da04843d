"""A driver that digests what a page sent is told from one that hangs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.worker.browser.weight import DriverState

BEGUN = DriverState(read=1_000_000, busy=3.0, at=10.0)
TRIED = DriverState(read=60_000_000, busy=9.0, at=20.0)


@pytest.mark.parametrize(
    ("now", "digests"),
    [
        (DriverState(60_000_000, 11.0, 22.0), True),
        (DriverState(60_000_000, 10.1, 22.0), True),
        (DriverState(60_000_000, 9.0, 22.0), False),
        (DriverState(60_000_000, 9.5, 22.0), False),
        (DriverState(2_000_000, 11.0, 22.0), False),
        (DriverState(60_000_000, 9.0, 20.0), False),
    ],
)
def test_what_held_it_up(now: DriverState, digests: bool) -> None:
    """Only one that has read much, and was busy while the canary waited, digests a page."""
    assert now.digests(BEGUN, TRIED) is digests


def test_a_process_is_looked_at() -> None:
    """What a process reads and does counts; one that is gone has done nothing."""
    before = after = DriverState.of([os.getpid()])
    with Path("/dev/zero").open("rb") as zeros:
        # The system writes down what a process took some 250 times a second.
        while after.busy == before.busy:
            zeros.read(10_000_000)
            after = DriverState.of([os.getpid()])
    assert after.read - before.read >= 10_000_000
    assert DriverState.of([2**22 + 1]).read == 0
