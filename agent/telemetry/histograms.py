"""Histograms, committed in the same transaction as the run whose times they hold.

So they are cumulative over restarts and kills, as counters are, and agree with them. Each
bucket carries the run that last fell into it, until a collection has told of that run.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.core import names
from agent.telemetry.catalogue import CATALOGUE

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS telemetry_histograms (
    metric TEXT NOT NULL,
    attributes TEXT NOT NULL CHECK (json_valid(attributes)),
    buckets TEXT NOT NULL CHECK (json_valid(buckets)),
    total REAL NOT NULL CHECK (typeof(total) = 'real'),
    least REAL NOT NULL CHECK (typeof(least) = 'real'),
    most REAL NOT NULL CHECK (typeof(most) = 'real'),
    runs TEXT NOT NULL CHECK (json_valid(runs)),
    PRIMARY KEY (metric, attributes)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class RunOfBucket:
    """The run that last fell into a bucket. ``at`` is Unix seconds; ids are hex."""

    value: float
    trace_id: str
    span_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram has come to for one set of attributes; ``total`` is the sum of values."""

    metric: str
    attributes: dict[str, str]
    buckets: list[int]
    """How many values there are up to each boundary of the catalogue, and beyond the last."""
    total: float
    least: float
    most: float
    runs: Mapping[str, RunOfBucket]
    """By the bucket's number as text."""


def record(
    connection: sqlite3.Connection,
    metric: str,
    attributes: Mapping[str, str],
    value: float,
    run: RunOfBucket | None = None,
) -> None:
    """Take in one value of a histogram of the catalogue."""
    boundaries = CATALOGUE[metric].boundaries
    key = metric, _key(attributes)
    row = connection.execute(
        "SELECT * FROM telemetry_histograms WHERE metric = ? AND attributes = ?", key
    ).fetchone()
    before = None if row is None else _read(row)
    if before is None or len(before.buckets) != len(boundaries) + 1:
        # Another version of the agent had other boundaries: they can't be added up.
        before = Distribution(metric, {}, [0] * (len(boundaries) + 1), 0.0, value, value, {})
    bucket = bisect_left(boundaries, value)
    before.buckets[bucket] += 1
    runs = {**before.runs, str(bucket): run} if run is not None else before.runs
    connection.execute(
        "INSERT OR REPLACE INTO telemetry_histograms VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *key,
            json.dumps(before.buckets),
            float(before.total + value),
            float(min(before.least, value)),
            float(max(before.most, value)),
            _runs(runs),
        ),
    )


def read(connection: sqlite3.Connection) -> tuple[Distribution, ...]:
    """Every histogram that has a value."""
    return tuple(
        one
        for row in connection.execute("SELECT * FROM telemetry_histograms")
        # One that is no longer in the catalogue stays for a version that has it again.
        if (metric := CATALOGUE.get(row["metric"]))
        and len((one := _read(row)).buckets) == len(metric.boundaries) + 1
    )


def forget(connection: sqlite3.Connection, collected: Iterable[Distribution]) -> None:
    """Drop the runs that a collection has told of; those that came since stay."""
    for one in collected:
        if not one.runs:
            continue
        key = one.metric, _key(one.attributes)
        row = connection.execute(
            "SELECT * FROM telemetry_histograms WHERE metric = ? AND attributes = ?", key
        ).fetchone()
        if row is not None:
            kept = {
                bucket: run
                for bucket, run in _read(row).runs.items()
                if run != one.runs.get(bucket)
            }
            connection.execute(
                "UPDATE telemetry_histograms SET runs = ? WHERE metric = ? AND attributes = ?",
                (_runs(kept), *key),
            )


def drop_step(connection: sqlite3.Connection, journey: str, step: str) -> None:
    """Let go of what a journey's step took, whose name makes room for others."""
    connection.execute(
        "DELETE FROM telemetry_histograms WHERE metric = ? "
        "AND json_extract(attributes, ?) = ? AND json_extract(attributes, ?) = ?",
        (names.STEP_DURATION, f"$.{names.JOURNEY}", journey, f"$.{names.STEP}", step),
    )


def _read(row: sqlite3.Row) -> Distribution:
    return Distribution(
        row["metric"],
        json.loads(row["attributes"]),
        json.loads(row["buckets"]),
        row["total"],
        row["least"],
        row["most"],
        {bucket: RunOfBucket(*run) for bucket, run in json.loads(row["runs"]).items()},
    )


def _runs(runs: Mapping[str, RunOfBucket]) -> str:
    return json.dumps(
        {bucket: [run.value, run.trace_id, run.span_id, run.at] for bucket, run in runs.items()}
    )


def _key(attributes: Mapping[str, str]) -> str:
    return json.dumps(attributes, sort_keys=True, separators=(",", ":"))
