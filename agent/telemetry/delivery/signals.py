"""The three signals of OTLP, each with a lane of its own through spool and sender."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """What a payload holds."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"
