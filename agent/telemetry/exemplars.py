"""The run that last moved a counter's series: from a count that alerts to that run's trace.

Noted in the transaction that counts the run, and forgotten in the one that spools the
collection which tells of it. So what a killed agent had counted and not yet collected is told
with its count by the next one, and nothing is told twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
        ExportMetricsServiceRequest,
    )

    from agent.core.results import RunResult

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS telemetry_exemplars (
    metric TEXT NOT NULL,
    attributes TEXT NOT NULL CHECK (json_valid(attributes)),
    trace_id TEXT NOT NULL CHECK (length(trace_id) = 32 AND trace_id NOT GLOB '*[^0-9a-f]*'),
    span_id TEXT NOT NULL CHECK (length(span_id) = 16 AND span_id NOT GLOB '*[^0-9a-f]*'),
    at REAL NOT NULL CHECK (typeof(at) = 'real'),
    PRIMARY KEY (metric, attributes)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One run of those a series counts. ``at`` is Unix seconds; ids are hex, the root span's."""

    metric: str
    attributes: dict[str, str]
    trace_id: str
    span_id: str
    at: float


def note(
    connection: sqlite3.Connection, metric: str, attributes: Mapping[str, str], run: RunResult
) -> None:
    """Take a run for the one that stands for its series, until a collection has told of it."""
    connection.execute(
        "INSERT OR REPLACE INTO telemetry_exemplars VALUES (?, ?, ?, ?, ?)",
        (metric, _key(attributes), run.trace_id, run.span_id, run.ended_at),
    )


def read(connection: sqlite3.Connection) -> tuple[Exemplar, ...]:
    """Return those that no collection has told of yet."""
    return tuple(
        Exemplar(
            row["metric"],
            json.loads(row["attributes"]),
            row["trace_id"],
            row["span_id"],
            row["at"],
        )
        for row in connection.execute("SELECT * FROM telemetry_exemplars")
    )


def forget(connection: sqlite3.Connection, told: Iterable[Exemplar]) -> None:
    """Drop what a collection has told of; a run that came since stays."""
    connection.executemany(
        "DELETE FROM telemetry_exemplars WHERE metric = ? AND attributes = ? AND span_id = ?",
        [(one.metric, _key(one.attributes), one.span_id) for one in told],
    )


def attach(
    request: ExportMetricsServiceRequest, exemplars: Iterable[Exemplar], now_ns: int
) -> None:
    """Put exemplars on the points of their series, each as one run and none later than ``now``."""
    waiting = {(one.metric, frozenset(one.attributes.items())): one for one in exemplars}
    exemplified = {name for name, _ in waiting}
    for metric in (
        metric
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name in exemplified
    ):
        for point in metric.sum.data_points:
            series = frozenset((pair.key, pair.value.string_value) for pair in point.attributes)
            if found := waiting.get((metric.name, series)):
                point.exemplars.add(
                    time_unix_nano=min(int(found.at * 1e9), now_ns),
                    as_int=1,
                    trace_id=bytes.fromhex(found.trace_id),
                    span_id=bytes.fromhex(found.span_id),
                )


def _key(attributes: Mapping[str, str]) -> str:
    return json.dumps(attributes, sort_keys=True, separators=(",", ":"))
