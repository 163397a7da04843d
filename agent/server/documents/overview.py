"""All journeys as they stand, and the agent itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from agent.server.documents.incident_pages import IncidentDocument
    from agent.server.documents.journey_page import OverviewJourney
    from agent.server.documents.replicas import ReplicaDocument
    from agent.server.documents.shares import BarSpans
    from agent.server.documents.what_suspends import PauseDocument, WindowDocument


class CertificateDocument(TypedDict):
    """A first party's certificate; ``near``: its end is."""

    host: str
    ends_at: str
    lifetime: float
    near: bool


class CheckDocument(TypedDict):
    """One thing that must be so for the agent to measure and report."""

    name: str
    ok: bool
    degraded: bool
    detail: str


class AgentDocument(TypedDict):
    """The agent itself; the checks are those of ``/readyz``, those in trouble first."""

    version: str
    environment: str
    status: Literal["ok", "degraded", "failing"]
    checks: list[CheckDocument]


class OverviewDocument(TypedDict):
    """``/`` and ``/api/v1/journeys``."""

    at: str
    location: str
    journeys: list[OverviewJourney]
    """By name; ``agent.core.standing.by_urgency`` sorts the worst first."""
    bars: BarSpans
    incidents: list[IncidentDocument]
    """Those that are open, the oldest first."""
    certificates: list[CertificateDocument]
    pauses: list[PauseDocument]
    maintenance: list[WindowDocument]
    agent: AgentDocument
    replicas: NotRequired[list[ReplicaDocument]]
    """Where several share the location."""
