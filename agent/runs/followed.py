"""A run that waits or goes on, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.core.limits import MOST_LOGGED
from agent.runs.document import step_document, time
from agent.runs.run_log import RunLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.core.results import Step
    from agent.runs.request import RunRequest


class Followed(RunLog):
    """Knows where a run is; its journey's own lines go to the agent's log, as of any run."""

    def __init__(
        self,
        request: RunRequest,
        asked_at: float,
        tell: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        super().__init__(request)
        self.request = request
        self._asked_at = asked_at
        self._tell = tell
        self._walking = False
        self._attempts: dict[int, list[dict[str, Any]]] = {}
        self._step: str | None = None

    @property
    def walks(self) -> bool:
        """Whether it has a worker."""
        return self._walking

    def begin(self) -> None:
        """Note that it has a worker."""
        self._walking = True

    def on_attempt_started(self, number: int) -> None:
        """Take note of an attempt; one that is walked anew takes the place of the first."""
        self._walking = True
        self._attempts[number] = []
        self._step = None
        self._tell("run", self._of() | {"state": "running", "attempt": number})

    def on_rest(self, seconds: float) -> None:  # noqa: ARG002
        """Take note that no step goes on."""
        self._step = None

    def on_step_started(self, name: str, depth: int) -> None:
        """Take note of the step that goes on."""
        self._step = name
        told = {"attempt": max(self._attempts), "step": name, "depth": depth}
        self._tell("step", self._of() | told | {"state": "running"})

    def on_step_ended(self, step: Step, depth: int) -> None:
        """Take note of a step that is over."""
        self._step = None
        number = max(self._attempts)
        document = step_document(step)
        if len(self._attempts[number]) < MOST_LOGGED:
            self._attempts[number].append(document)
        told = {"attempt": number, "step": document["name"], "depth": depth}
        ended = {"state": "ended", "result": document["result"], "duration": document["duration"]}
        self._tell("step", self._of() | told | ended)

    def document(self) -> dict[str, Any]:
        """Return its public form, until there is that of a finished run."""
        return {
            **self._of(),
            "state": "running" if self._walking else "waiting",
            "asked_at": time(self._asked_at),
            "step": self._step,
            "attempts": [{"steps": steps} for _, steps in sorted(self._attempts.items())],
        }

    def _of(self) -> dict[str, Any]:
        request = self.request
        return {
            "run_id": request.run_id,
            "journey": request.journey.name,
            "trigger": request.trigger.value,
        }
