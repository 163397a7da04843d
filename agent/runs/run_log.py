"""A run as the agent's log has it: what its journey logs and prints."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import structlog

from agent.core.limits import MESSAGE_LENGTH, MOST_ATTRIBUTES, MOST_LOGGED, NAME_LENGTH
from agent.core.printable import cut

if TYPE_CHECKING:
    from agent.core.results import Step
    from agent.runs.request import RunRequest

_log = structlog.get_logger("footfall.journey")

_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_KNOWN = frozenset(
    {
        *("action", "event", "journey", "level", "run_id", "timestamp", "trace_id"),
        *("self", "exc_info", "stack_info"),
    }
)
"""Fields of a log line that are the agent's own, or mean something to the logger."""


class RunLog:
    """Logs what the author of one run's journey logs and prints, in bounds."""

    def __init__(self, request: RunRequest) -> None:
        self._log = _log.bind(
            run_id=request.run_id, journey=request.journey.name, trace_id=request.trace_id
        )
        self._logged = 0

    def on_attempt_started(self, number: int) -> None:
        """Nothing: each run has a line of its own when it is over."""

    def on_rest(self, seconds: float) -> None:
        """Nothing: the log has no line for what goes as it should."""

    def on_step_started(self, name: str, depth: int) -> None:
        """Nothing: steps stand in the run's spans."""

    def on_step_ended(self, step: Step, depth: int) -> None:
        """Nothing, either."""

    def on_logged(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Pass on what the author logged."""
        self._logged += 1
        if self._logged > MOST_LOGGED:
            if self._logged == MOST_LOGGED + 1:
                self._log.warning("journey.log_cut", action="journey.log", kept=MOST_LOGGED)
            return
        own = {
            cut(key if key not in _KNOWN else f"{key}_", NAME_LENGTH): _bounded(value)
            for key, value in islice(fields.items(), MOST_ATTRIBUTES)
        }
        # The level and the names come over the pipe: they must not reach another method.
        log = getattr(self._log, level) if level in _LEVELS else self._log.info
        log(cut(event, MESSAGE_LENGTH), action="journey.log", **own)

    def on_printed(self, line: str) -> None:
        """Pass on what the journey printed."""
        self._log.info(cut(line, MESSAGE_LENGTH), action="journey.print")


def _bounded(value: Any) -> Any:  # noqa: ANN401 - JSON-like data of any shape
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MESSAGE_LENGTH else cut(text, MESSAGE_LENGTH)
