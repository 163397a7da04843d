"""The runs of the schedule that wait here or are walked."""

from __future__ import annotations

import asyncio


class Busy:
    """Counts runs by journey, and for how long each has stood back behind what went ahead of it.

    ``gone`` is always for how many seconds walks have gone ahead of the schedule in all, in the
    lane of the run's journey.
    """

    def __init__(self) -> None:
        self._journeys: dict[str, str] = {}
        """The journey of each run."""
        self._gone: dict[str, float] = {}
        """What ``gone`` was when the run came."""
        self._none = asyncio.Event()
        self._none.set()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._journeys)

    def has(self, journey: str) -> bool:
        """Whether a run of this journey waits or is walked."""
        return journey in self._journeys.values()

    def begin(self, run_id: str, journey: str, gone: float) -> None:
        """Take a run up; of one that is known, only the moment from which it waits is new."""
        self._journeys[run_id] = journey
        self._gone[run_id] = gone
        self._none.clear()

    def end(self, run_id: str) -> None:
        """Forget a run, known or not."""
        self._journeys.pop(run_id, None)
        self._gone.pop(run_id, None)
        if not self._journeys:
            self._none.set()

    def stood_back(self, run_id: str, gone: float) -> float:
        """Return for how many seconds walks have gone ahead since a run came."""
        return max(0.0, gone - self._gone.get(run_id, gone))

    def any_stood_back(self, journey: str, gone: float) -> bool:
        """Whether walks have gone ahead of any run of a journey."""
        runs = (run_id for run_id, name in self._journeys.items() if name == journey)
        return any(self.stood_back(run_id, gone) > 0 for run_id in runs)

    async def until_none(self) -> None:
        """Return once no run waits or is walked."""
        await self._none.wait()
