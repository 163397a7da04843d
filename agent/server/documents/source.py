"""Who has the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.server.documents.incident_pages import IncidentDocument, IncidentsDocument
    from agent.server.documents.journey_page import JourneyDocument
    from agent.server.documents.overview import OverviewDocument
    from agent.server.documents.run_page import RunDocument


class Source(Protocol):
    """Where answers come from. What is async raises ``StateError`` where it can't be had now."""

    @property
    def environment(self) -> str:
        """The environment of what is walked, for the head of every page."""
        ...

    def loaded(self) -> list[str]:
        """Return the names of the journeys that are loaded."""
        ...

    async def knows(self, journey: str) -> bool:
        """Whether there may be runs of a journey."""
        ...

    async def journeys(self, days: int = 30) -> OverviewDocument:
        """Return how all journeys stand, with bars of so many days, and the agent."""
        ...

    async def journey(self, name: str) -> JourneyDocument | None:
        """Return all about a journey; None: it is not known."""
        ...

    async def runs(
        self, journey: str, result: str, limit: int
    ) -> tuple[Sequence[str], Mapping[str, str]]:
        """Return runs as JSON texts, newest first, and links by artifact."""
        ...

    async def run(self, run_id: str) -> RunDocument | None:
        """Return one run, over or not; None: there is none such."""
        ...

    def elsewhere(self) -> Sequence[str]:
        """Return the addresses of the location's other replicas, which may know other runs."""
        ...

    async def incidents(self, limit: int, before: int | None = None) -> IncidentsDocument:
        """Return incidents, the open ones first; of numbers below ``before``, if that is given."""
        ...

    async def incident(self, number: int) -> IncidentDocument | None:
        """Return one incident; None: there is none such."""
        ...
