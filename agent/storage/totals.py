"""Counter totals, committed in the same transaction as what they count.

A restart is therefore no reset: the totals go on, and so does their epoch, which is the
start time of every counter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS telemetry_totals (
    metric TEXT NOT NULL,
    attributes TEXT NOT NULL CHECK (json_valid(attributes)),
    value INTEGER NOT NULL CHECK (typeof(value) = 'integer'),
    PRIMARY KEY (metric, attributes)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS telemetry_epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    started_at REAL NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Total:
    """What a counter has come to for one set of attributes."""

    metric: str
    attributes: dict[str, str]
    value: int


def begin(connection: sqlite3.Connection, now: float) -> float:
    """Return the epoch, Unix seconds: when these totals began to count; ``now`` if they just do."""
    connection.execute("INSERT OR IGNORE INTO telemetry_epoch VALUES (1, ?)", (now,))
    return float(connection.execute("SELECT started_at FROM telemetry_epoch").fetchone()[0])


def add(
    connection: sqlite3.Connection, metric: str, attributes: Mapping[str, str], amount: int = 1
) -> None:
    """Count ``amount`` more; attributes are the same set in whatever order they come."""
    connection.execute(
        "INSERT INTO telemetry_totals VALUES (?, ?, ?) "
        "ON CONFLICT (metric, attributes) DO UPDATE SET value = value + excluded.value",
        (metric, json.dumps(attributes, sort_keys=True, separators=(",", ":")), amount),
    )


def read(connection: sqlite3.Connection) -> tuple[Total, ...]:
    """Every total."""
    return tuple(
        Total(row["metric"], json.loads(row["attributes"]), row["value"])
        for row in connection.execute("SELECT metric, attributes, value FROM telemetry_totals")
    )
