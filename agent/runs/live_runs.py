"""Runs that wait or go on at this moment, whoever asked for them, and who is told of each step."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from agent.runs.document import time
from agent.runs.followed import Followed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from agent.core.results import RunResult
    from agent.runs.request import RunRequest
    from agent.storage.run_end import Turn

_SHORTEST: Final = 8
"""Characters of an id that may stand for all of it."""


class LiveRuns:
    """Knows how far each is. ``tell`` hears what happens, as a kind and what is to be known.

    A ``run`` begins, goes into another attempt, or ends; a ``step`` begins or ends; a journey's
    ``state`` changes with a run.
    """

    def __init__(self, tell: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._tell = tell
        self._now: dict[str, Followed] = {}

    def follow(self, request: RunRequest, asked_at: float) -> Followed:
        """Follow a run, asked for at a Unix time, until it is dropped."""
        followed = self._now[request.run_id] = Followed(request, asked_at, self._tell)
        return followed

    def drop(self, followed: Followed) -> None:
        """Follow a run no longer: it has ended, and is written down."""
        del self._now[followed.request.run_id]

    @contextmanager
    def following(self, request: RunRequest, asked_at: float) -> Iterator[Followed]:
        """Follow a run meanwhile."""
        followed = self.follow(request, asked_at)
        try:
            yield followed
        finally:
            self.drop(followed)

    def find(self, run_id: str) -> Followed | None:
        """Return the run of an id, or of the beginning of one, that waits or goes on.

        None: there is none such, or several.
        """
        if followed := self._now.get(run_id):
            return followed
        begins = [one for id_, one in self._now.items() if id_.startswith(run_id)]
        return begins[0] if len(begins) == 1 and len(run_id) >= _SHORTEST else None

    def of(self, journey: str) -> str | None:
        """Return the id of a run of a journey that goes on, or else waits; None: there is none."""
        ids = [id_ for id_, one in self._now.items() if one.request.journey.name == journey]
        return max(ids, key=lambda id_: self._now[id_].walks, default=None)

    def ended(self, run: RunResult, turn: Turn | None) -> None:
        """Tell of a run that is written down, and of its journey where that turned with it."""
        journey = run.journey.name
        self._tell(
            "run",
            {
                "run_id": run.run_id,
                "journey": journey,
                "trigger": run.trigger.value,
                "state": "ended",
                "result": run.result.value,
                "error_type": run.error_type.value if run.error_type else None,
                "duration": round(run.duration, 3),
            },
        )
        if turn is not None:
            what = "down" if turn.down else "up"
            self._tell("state", {"what": what, "journey": journey, "since": time(turn.since)})
