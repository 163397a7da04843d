"""What the schedule knows of each journey at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.storage.journey_state import JourneyState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from agent.core.model import Journey
    from agent.daemon.suspension_report import SuspensionReport
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.live_runs import LiveRuns
    from agent.schedule.ticker import Ticker
    from agent.schedule.timeline import Timeline
    from agent.server.documents.what_suspends import SuspensionDocument


@dataclass(frozen=True, slots=True)
class PresentJourney:
    """A journey as it is at the moment of asking."""

    journey: Journey
    next_at: float | None
    """When its next slot is, in Unix seconds; None: it has none."""
    running: bool
    under_way: str | None
    """The id of the run that goes on here, or waits."""
    state: JourneyState
    suspended: SuspensionDocument | None


@dataclass(frozen=True, slots=True)
class Present:
    """Asks the stations; on the loop's own thread, as whoever changes them."""

    dispatcher: Dispatcher
    ticker: Ticker
    timeline: Timeline
    runs: LiveRuns
    elsewhere: Callable[[], AbstractSet[str]] = frozenset
    """Returns the journeys that other replicas walk."""

    @property
    def journeys(self) -> Mapping[str, Journey]:
        """The journeys that are loaded, by name."""
        return self.dispatcher.journeys

    def of(
        self,
        names: Iterable[str],
        suspended: SuspensionReport,
        states: Mapping[str, JourneyState],
    ) -> list[PresentJourney]:
        """Return these journeys as they are; those that are gone meanwhile are left out."""
        nothing, elsewhere = JourneyState(), self.elsewhere()
        return [
            PresentJourney(
                journey,
                self._next_at(name),
                self.dispatcher.is_busy(name)
                or self.dispatcher.beside.is_walking(name)
                or name in elsewhere,
                self.runs.of(name),
                states.get(name, nothing),
                suspended.of(journey, states.get(name, nothing)),
            )
            for name in names
            if (journey := self.journeys.get(name)) is not None
        ]

    def _next_at(self, name: str) -> float | None:
        at = self.ticker.next_closer(name) or self.ticker.next_slot(name)
        return None if at is None else self.timeline.on_wall(at)
