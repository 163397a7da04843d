"""A journey: what is declared of it, how it stands, and what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from agent.server.documents.briefs import BriefDocument, RunLine
    from agent.server.documents.deploys import DeployDocument
    from agent.server.documents.gates import GateDocument
    from agent.server.documents.incident_pages import IncidentDocument
    from agent.server.documents.shares import (
        BarsDocument,
        ShareDocument,
        SkippedDocument,
        StretchDocument,
        UptimeDocument,
    )
    from agent.server.documents.what_suspends import SuspensionDocument


class DeclaredDocument(TypedDict):
    """What author and configuration say of a journey."""

    journey: str
    summary: str
    site: str
    url: str
    location: str
    owner: str
    severity: str
    runbook: str
    public: str
    """Its title on the public page; empty: it isn't shown there."""
    file: str
    every: str
    timezone: str
    timeout: float
    slow: float | None
    every_failing: float | None
    enabled: bool


class StandingDocument(DeclaredDocument):
    """A journey as it stands: ``agent.core.standing.state_of`` puts it in a word."""

    running: bool
    under_way: str | None
    """Id of the run that goes on here, or waits; None: none does, or another replica walks it."""
    next_at: str | None
    up: bool | None
    consecutive_failures: int
    consecutive_slow: int
    failing_since: str | None
    last_success_at: str | None
    suspended: SuspensionDocument | None
    last_run: BriefDocument | None
    last_failure: BriefDocument | None
    history: list[str]
    """Results of the last runs, the newest last."""
    day: ShareDocument
    """The last 24 hours."""
    skipped_since: str
    skipped: list[SkippedDocument]
    incident: int | None
    """Number of the incident that it is in now."""


class OverviewJourney(StandingDocument):
    """A journey of the overview."""

    uptime: list[UptimeDocument]
    """Over 1, 7, 30 and 90 days."""
    bars: BarsDocument


class StepRank(TypedDict):
    """How a step has done: ``failures`` in 30 days, times of the last passes that are kept."""

    step: str
    failures: int
    last_failed_at: str | None
    median: float | None
    p95: float | None


class JourneyDocument(TypedDict):
    """``/journeys/{name}`` and ``/api/v1/journeys/{name}``."""

    at: str
    location: str
    loaded: bool
    """False where it is known by its runs alone: then ``journey`` is None."""
    name: str
    journey: StandingDocument | None
    uptime: list[UptimeDocument]
    """Over 1, 7, 30 and 90 days."""
    hours: list[StretchDocument]
    """24 of them, the newest last."""
    days: list[StretchDocument]
    """90 of them, the newest last."""
    steps: list[StepRank]
    """Those that failed most come first, then in the order in which they are walked."""
    runs: list[RunLine]
    """The newest first."""
    failures: list[RunLine]
    """The newest that did not pass, the newest first."""
    incidents: list[IncidentDocument]
    """Those that it was part of, the newest first."""
    deploys: list[DeployDocument]
    """Of its site, the newest first."""
    gates: list[GateDocument]
    """The newest in which it votes."""
