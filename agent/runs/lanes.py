"""Two kinds of walks, which don't wait for each other: those in browsers, and those without."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.runs.ahead import Ahead
from agent.runs.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.core.model import Journey
    from agent.queue.seam import Queue

_RUNNERS_PER_WORKER = 8
"""One that walks, and the others for runs that rest until their failure is confirmed."""


@dataclass
class Lane:
    """The slots of one kind that wait, and places for as many as may walk at once."""

    queue: Queue
    workers: int
    places: Places = field(init=False)
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from a place that is free to a slot for it, so that no more are claimed."""
    ahead: Ahead = field(default_factory=Ahead)
    """Walks that take places ahead of the slots."""

    def __post_init__(self) -> None:
        """Make a place for each worker."""
        self.places = Places(self.workers)

    @property
    def runners(self) -> int:
        """How many runs may be under way, those that rest among them."""
        return self.workers * _RUNNERS_PER_WORKER


@dataclass(frozen=True, slots=True)
class Lanes:
    """Both of them."""

    browsers: Lane
    calls: Lane

    def of(self, journey: Journey | None) -> Lane:
        """Return the one in which a journey is walked; of one that is gone, any."""
        return self.browsers if journey is None or journey.browser else self.calls

    def __iter__(self) -> Iterator[Lane]:
        """Yield each."""
        yield self.browsers
        yield self.calls

    @property
    def depth(self) -> int:
        """How many slots wait to be claimed."""
        return sum(lane.queue.depth for lane in self)
