"""What the judge is given, plain and to be varied; and what stands in the engine's place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from agent.core.results import AttemptRecord, AttemptReport, Result
from agent.pool.stops import Stops
from agent.runs import ledger
from agent.runs.conduct import interrupted
from agent.runs.live_runs import LiveRuns
from agent.runs.request import RunRequest
from agent.schedule import slots
from agent.storage import runs
from agent.telemetry import telemetry
from tests.support.build import a_journey, a_request

if TYPE_CHECKING:
    from agent.core.model import Journey
    from agent.core.results import Attempt, RunResult

TIMEOUT = 20.0
JOURNEYS = [
    a_journey(name, seconds, timeout=5, grace=1)
    for name, seconds in {"a": 10, "b": 10, "c": 20, "d": 60, "e": 7, "f": 7}.items()
]
SCHEMAS = (slots.SCHEMA, runs.SCHEMA, telemetry.SCHEMA, ledger.SCHEMA)


def report(**changes: Any) -> AttemptReport:
    return AttemptReport(**{"started_at": 100.0, "duration": 3.0, **changes})


def record(told: AttemptReport | None = None, **changes: Any) -> AttemptRecord:
    return AttemptRecord(
        **{"worker": 1, "started_at": 99.5, "ended_at": 104.0, "report": told, **changes}
    )


@pytest.fixture
def journey() -> Journey:
    return a_journey(timeout=TIMEOUT)


@pytest.fixture
def request_(journey: Journey) -> RunRequest:
    return a_request(journey, trace_id="0a" * 16, span_id="0b" * 8, scheduled_at=99.0)


REST = "rest"
"""Told to a run, it rests and walks once more."""


class Walks:
    """In the engine's place: runs begin, rest, and end when and as they are told."""

    def __init__(self, begun):
        self.begun = begun
        self.under_way: dict[str, tuple[RunRequest, asyncio.Future]] = {}
        self.resting: dict[str, asyncio.Future[None]] = {}
        """Those that rest between two walks, until they walk again."""
        self.span = 1.0, 2.0
        """When each run starts and ends."""
        self.attempts: tuple[Attempt, ...] = ()
        """Those of each run."""
        self.stops = Stops()
        self.told: list[tuple[str, dict[str, Any]]] = []
        """What is told of live runs."""
        self.live = LiveRuns(lambda kind, data: self.told.append((kind, dict(data))))

    def secret(self, name):
        raise LookupError(name)

    def request(self, journey, trigger, run_id, scheduled_at):
        return RunRequest(
            run_id, journey, "eu", trigger, "0a" * 16, "0b" * 8, scheduled_at=scheduled_at
        )

    async def run(self, request, watcher, resting, stop=None) -> RunResult:
        self.begun.append(request.run_id)
        while (result := await self._walk(request)) is REST:
            self.resting[request.run_id] = woken = asyncio.get_running_loop().create_future()
            try:
                async with resting():
                    await woken
            finally:
                del self.resting[request.run_id]
        made = replace(interrupted(request, *self.span, ""), attempts=self.attempts)
        if result is None:
            raise OverflowError("a fault of the agent's own")
        if result is Result.NOT_MEASURED:
            return made
        return replace(made, result=result, error_type=None)

    async def _walk(self, request):
        told = asyncio.get_running_loop().create_future()
        self.under_way[request.run_id] = request, told
        try:
            return await told
        finally:
            del self.under_way[request.run_id]
