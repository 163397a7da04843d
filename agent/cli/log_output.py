"""The agent's own log: readable on a terminal, JSON lines anywhere else; always to stderr."""

from __future__ import annotations

import sys
from typing import Any

import structlog


def configure() -> None:
    """Set structlog up for this process."""
    terminal = sys.stderr.isatty()
    # Plain: what structlog would take by itself shows local variables, so secrets too.
    traceback = structlog.dev.plain_traceback
    render: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=traceback)
        if terminal
        else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not terminal:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, render],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
