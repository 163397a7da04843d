"""Runs that a person has end: asked for once, heeded wherever the run is just then."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class Stop:
    """One run's word to end: before, under and between its walks."""

    def __init__(self, journey: str) -> None:
        self.journey = journey
        self.why = ""
        """Why it is to end; empty while it isn't."""
        self._asked = asyncio.Event()

    def ask(self, why: str) -> None:
        """Have the run end."""
        self.why = why
        self._asked.set()

    @property
    def is_asked(self) -> bool:
        """Whether the run is to end."""
        return self._asked.is_set()

    async def asked(self) -> None:
        """Wait until the run is to end."""
        await self._asked.wait()


class Stops:
    """The runs that are under way, of every trigger."""

    def __init__(self) -> None:
        self._under_way: set[Stop] = set()

    @contextmanager
    def enlisted(self, journey: str) -> Iterator[Stop]:
        """Count a run of this journey as under way meanwhile."""
        stop = Stop(journey)
        self._under_way.add(stop)
        try:
            yield stop
        finally:
            self._under_way.discard(stop)

    @property
    def under_way(self) -> list[str]:
        """Whose they are."""
        return sorted(stop.journey for stop in self._under_way)

    def ask(self, journeys: Collection[str] | None, why: str) -> list[str]:
        """Have the runs of these journeys (None: all) end; return whose they are."""
        meant = [one for one in self._under_way if journeys is None or one.journey in journeys]
        for stop in meant:
            stop.ask(why)
        return sorted(stop.journey for stop in meant)
