"""A run that somebody waits for, as it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.core.limits import MOST_LOGGED
from agent.runs.document import step_document, time
from agent.runs.run_log import RunLog

if TYPE_CHECKING:
    from agent.core.results import Step
    from agent.runs.request import RunRequest


class Followed(RunLog):
    """Knows where a run is; its journey's own lines go to the agent's log, as of any run."""

    def __init__(self, request: RunRequest, asked_at: float) -> None:
        super().__init__(request)
        self.request = request
        self._asked_at = asked_at
        self._walking = False
        self._attempts: dict[int, list[dict[str, Any]]] = {}
        self._step: str | None = None

    def begin(self) -> None:
        """Note that it has a worker."""
        self._walking = True

    def on_attempt_started(self, number: int) -> None:
        """Take note of an attempt; one that is walked anew takes the place of the first."""
        self._attempts[number] = []

    def on_rest(self, seconds: float) -> None:  # noqa: ARG002
        """Take note that no step goes on."""
        self._step = None

    def on_step_started(self, name: str, depth: int) -> None:  # noqa: ARG002
        """Take note of the step that goes on."""
        self._step = name

    def on_step_ended(self, step: Step, depth: int) -> None:  # noqa: ARG002
        """Take note of a step that is over."""
        self._step = None
        steps = self._attempts[max(self._attempts)]
        if len(steps) < MOST_LOGGED:
            steps.append(step_document(step))

    def document(self) -> dict[str, Any]:
        """Return its public form, until there is that of a finished run."""
        return {
            "run_id": self.request.run_id,
            "journey": self.request.journey.name,
            "trigger": self.request.trigger.value,
            "state": "running" if self._walking else "waiting",
            "asked_at": time(self._asked_at),
            "step": self._step,
            "attempts": [{"steps": steps} for _, steps in sorted(self._attempts.items())],
        }
