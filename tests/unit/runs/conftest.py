"""What the judge is given: journeys, reports and records, plain and to be varied."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.model import Cadence, Journey, Site, Trigger
from agent.core.results import AttemptRecord, AttemptReport
from agent.runs.conduct import RunRequest

TIMEOUT = 20.0


def report(**changes: Any) -> AttemptReport:
    return AttemptReport(**{"started_at": 100.0, "duration": 3.0, **changes})


def record(told: AttemptReport | None = None, **changes: Any) -> AttemptRecord:
    return AttemptRecord(
        **{"worker": 1, "started_at": 99.5, "ended_at": 104.0, "report": told, **changes}
    )


@pytest.fixture
def journey() -> Journey:
    return Journey(
        name="buy_a_mug",
        site=Site("shop", "http://127.0.0.1:1", ("http://127.0.0.1:1",)),
        file="shop.py",
        line=7,
        cadence=Cadence(seconds=60.0),
        interval=60.0,
        timeout=TIMEOUT,
        grace=2.0,
        confirm=True,
        enabled=True,
    )


@pytest.fixture
def request_(journey: Journey) -> RunRequest:
    return RunRequest(
        "run-1", journey, "eu-west-1", Trigger.SCHEDULE, "0a" * 16, "0b" * 8, scheduled_at=99.0
    )
