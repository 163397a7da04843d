"""What a journey's own page tells beyond how it stands: its bars, steps and runs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from statistics import quantiles
from typing import TYPE_CHECKING, Any, TypedDict

from agent.core.results import Result
from agent.core.run_document import failed_step
from agent.daemon.figures import HOURS, JOURNEY_DAYS, stretches
from agent.daemon.journey_document import run_line
from agent.storage import rollups, runs
from agent.storage.rollups import DAY, HOUR

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from agent.daemon.figures import Spans
    from agent.daemon.replica_report import ReplicaReport
    from agent.server.documents.briefs import RunLine
    from agent.server.documents.journey_page import StepRank
    from agent.server.documents.shares import StretchDocument
    from agent.storage.rollup import Rollup
    from agent.storage.rollups import Key

_RUNS = 50
_TROUBLED = 20
"""Runs that did not pass, of each result."""
_STEP_DAYS = 30
"""Days over which fails are counted by step."""
_NOT_PASSED = (Result.FAIL, Result.FLAKY, Result.NOT_MEASURED)
_PARTS = 20
"""Into which durations are cut: the tenth cut is the median, the last one the 95th percentile."""


class HistoryDocument(TypedDict):
    """The part of the journey's document that this module knows."""

    hours: list[StretchDocument]
    days: list[StretchDocument]
    steps: list[StepRank]
    runs: list[RunLine]
    failures: list[RunLine]


def history(
    connection: sqlite3.Connection, key: Key, spans: Spans, replicas: ReplicaReport
) -> HistoryDocument:
    """Return what has become of (journey, location) up to now."""
    journey, _ = key
    hours = rollups.read(connection, key, HOUR, spans.around(HOUR, HOURS))
    days = rollups.read(connection, key, DAY, spans.around(DAY, JOURNEY_DAYS))
    newest = [json.loads(text) for text in runs.newest(connection, _RUNS, journey)]
    troubled = [
        json.loads(text)
        for result in _NOT_PASSED
        for text in runs.newest(connection, _TROUBLED, journey, result.value)
    ]
    troubled.sort(key=lambda run: run["started_at"], reverse=True)
    lately = [rollup for at, rollup in days.items() if at >= spans.begin(DAY, _STEP_DAYS)]
    return {
        "hours": stretches(hours, HOUR, HOURS, spans),
        "days": stretches(days, DAY, JOURNEY_DAYS, spans),
        "steps": _ranked(lately, newest, troubled),
        "runs": [run_line(run, replicas.made_by(run)) for run in newest],
        "failures": [run_line(run, replicas.made_by(run)) for run in troubled[:_TROUBLED]],
    }


def _ranked(
    days: Sequence[Rollup],
    newest: Sequence[Mapping[str, Any]],
    troubled: Sequence[Mapping[str, Any]],
) -> list[StepRank]:
    fails: Counter[str] = Counter()
    for day in days:
        fails.update(day.steps)
    # Steps end innermost first, so a pass lists them in the order in which they are walked.
    order: dict[str, None] = {}
    durations: dict[str, list[float]] = defaultdict(list)
    for run in newest:
        if run["result"] == Result.PASS:
            for step in run["attempts"][-1]["steps"]:
                order.setdefault(step["name"])
                if step["duration"] is not None:
                    durations[step["name"]].append(step["duration"])
    last: dict[str, str] = {}
    for run in troubled:
        if run["result"] == Result.FAIL and (step := failed_step(run)):
            last.setdefault(step, run["started_at"])
    listed = [*order, *(name for name in (*fails, *last) if name not in order)]
    ranked: list[StepRank] = [
        {
            "step": name,
            "failures": fails[name],
            "last_failed_at": last.get(name),
            **_times(durations[name]),
        }
        for name in dict.fromkeys(listed)
    ]
    return sorted(ranked, key=lambda one: -one["failures"])


class _Times(TypedDict):
    median: float | None
    p95: float | None


def _times(durations: Sequence[float]) -> _Times:
    if not durations:
        return {"median": None, "p95": None}
    if len(durations) == 1:
        return {"median": durations[0], "p95": durations[0]}
    cuts = quantiles(durations, n=_PARTS, method="inclusive")
    return {"median": round(cuts[_PARTS // 2 - 1], 3), "p95": round(cuts[-1], 3)}
