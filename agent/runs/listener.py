"""Following one run on behalf of the log: what its journey logs and prints, and its secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import structlog

from agent.core.errors import ConfigError
from agent.protocol.messages import SignatureReply

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.results import Step
    from agent.runs.conduct import RunRequest

_log = structlog.get_logger("footfall.journey")

LONGEST = 4000
"""Characters of a line or a value that are passed on: collectors of logs cut or refuse more."""
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_KNOWN = frozenset(
    {
        *("action", "event", "journey", "level", "run_id", "timestamp", "trace_id"),
        *("self", "exc_info", "stack_info"),
    }
)
"""Fields of a log line that are the agent's own, or mean something to the logger."""


class Watcher:
    """Follows one run: serves its secrets and logs what its author logs."""

    def __init__(self, request: RunRequest, secret: Callable[[str], str]) -> None:
        self._secret = secret
        self.signature: Callable[[str], SignatureReply] = SignatureReply
        """Signs for an authority; what the engine sets where there is a key."""
        self._log = _log.bind(
            run_id=request.run_id, journey=request.journey.name, trace_id=request.trace_id
        )

    def secret(self, name: str) -> str:
        """Return a secret, or raise ``LookupError`` saying where it may stand."""
        try:
            return self._secret(name)
        except ConfigError as error:
            raise LookupError(str(error)) from None

    def attempt_started(self, number: int) -> None:
        """Hear that an attempt begins."""

    def step_started(self, name: str, depth: int) -> None:
        """Hear that a step begins."""

    def step_ended(self, step: Step, depth: int) -> None:
        """Hear that a step is over."""

    def logged(self, level: str, event: str, fields: dict[str, Any]) -> None:
        """Pass on what the author logged."""
        own = {
            _short(key if key not in _KNOWN else f"{key}_"): _bounded(value)
            for key, value in fields.items()
        }
        # The level and the names come over the pipe: they must not reach another method.
        log = getattr(self._log, level) if level in _LEVELS else self._log.info
        log(_short(event), action="journey.log", **own)

    def printed(self, line: str) -> None:
        """Pass on what the journey printed."""
        self._log.info(_short(line), action="journey.print")


def _short(text: str) -> str:
    more = len(text) - LONGEST
    return f"{text[:LONGEST]}… ({more} characters more)" if more > 0 else text


def _bounded(value: Any) -> Any:  # noqa: ANN401 - JSON-like data of any shape
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False)
        return _short(text) if len(text) > LONGEST else value
    return value
