"""How late runs start at half of what the workers can do, and how much memory it takes."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.bench.memory import Memory, sample
from tests.bench.meter import Meter
from tests.bench.sides import WORKERS, Agent, Load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.otlp import OtlpReceiver

_JOURNEYS = 60
"""So many that each hashed offset is met about once: few would measure the luck of their names."""
_SECONDS = 40.0
_MEMORY_SECONDS = 8.0
_SETTLE = 4.0
"""Seconds until a loaded start-up is over."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Seconds from each slot's time, and the load they met."""

    taken: list[float]
    """Until a worker was told to walk."""
    walking: list[float]
    """Until the walk began in an open page, as the agent's own metric says it."""
    rate: float
    """Slots a second."""
    busy: float
    """Share of the workers' time that runs took up."""
    skipped: int


def quantile(values: Sequence[float], q: float) -> float:
    """Return the smallest value that a share of ``q`` does not exceed."""
    return sorted(values)[math.ceil(q * len(values)) - 1]


async def measure(url: str, otlp: OtlpReceiver, full_rate: float) -> tuple[Lateness, Memory]:
    """Walk at half of ``full_rate`` (runs a second)."""
    load = Load(_JOURNEYS, _JOURNEYS / (full_rate / 2))
    with Meter() as meter:
        async with Agent(meter, url, otlp.http_endpoint, load) as agent:
            await agent.until(1)
            await asyncio.sleep(_SETTLE)
            otlp.spans.clear()
            begin = time.time()
            await asyncio.sleep(_SECONDS)
            end = time.time()
            memory = await asyncio.to_thread(sample, agent.pid, _MEMORY_SECONDS)
            await agent.drain()
            runs, skipped = ended_runs(agent.database, begin, end)
    scheduled = {run["trace_id"]: unix(run["scheduled_at"]) for run in runs}
    starts = {span.trace_id: span.start_ns / 1e9 for span in otlp.spans if span.name == "attempt 1"}
    roots = [s for s in otlp.spans if s.trace_id in scheduled and s.parent_id is None]
    worked = sum(span.end_ns - span.start_ns for span in roots) / 1e9
    return (
        Lateness(
            [unix(run["started_at"]) - unix(run["scheduled_at"]) for run in runs],
            [starts[trace] - at for trace, at in scheduled.items() if trace in starts],
            load.rate,
            worked / ((end - begin) * WORKERS),
            skipped,
        ),
        memory,
    )


def ended_runs(database: Path, begin: float, end: float) -> tuple[Sequence[dict[str, Any]], int]:
    """Return the runs of the slots in a span of time, and how many slots were skipped."""
    connection = sqlite3.connect(database)
    try:
        documents = [json.loads(row[0]) for row in connection.execute("SELECT document FROM runs")]
        (skipped,) = connection.execute(
            "SELECT coalesce(sum(count), 0) FROM slots "
            "WHERE state = 'skipped' AND scheduled_at BETWEEN ? AND ?",
            (int(begin * 1000), int(end * 1000)),
        ).fetchone()
    finally:
        connection.close()
    return [one for one in documents if begin <= unix(one["scheduled_at"]) < end], skipped


def unix(moment: str) -> float:
    """Return the Unix seconds of a moment in RFC 3339."""
    return datetime.fromisoformat(moment).timestamp()
