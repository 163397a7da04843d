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


def forget(connection: sqlite3.Connection, collected: Iterable[Exemplar]) -> None:
    """Drop what a collection has told of; a run that came since stays."""
    connection.executemany(
        "DELETE FROM telemetry_exemplars WHERE metric = ? AND attributes = ? AND span_id = ?",
        [(one.metric, _key(one.attributes), one.span_id) for one in collected],
    )


def _key(attributes: Mapping[str, str]) -> str:
    return json.dumps(attributes, sort_keys=True, separators=(",", ":"))
