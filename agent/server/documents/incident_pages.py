"""What was down, and what happened meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from agent.server.documents.deploys import NearDeploy


class OutageDocument(TypedDict):
    """The time for which one journey was down, within an incident."""

    journey: str
    severity: str
    owner: str
    runbook: str
    began_at: str
    """When the first of its fails in a row started."""
    opened_at: str
    """When they were enough."""
    ended_at: str | None
    """When the first pass after that was over; None: it goes on."""
    ended_by: Literal["pass", "gone"] | None
    """``gone``: the journey is no longer loaded or enabled."""
    fails: int
    error_type: str
    error: str
    """Of the first fail, as ``error_type``, ``step`` and ``run_id``."""
    step: str
    run_id: str | None


class MomentDocument(TypedDict):
    """One moment of an incident's time line.

    By ``kind``: ``fail`` (the first of an outage, or one with another error), ``down``, ``pass``
    (the one that ended an outage), ``gone``, ``suspended`` (a pause or a window began to hold
    its journeys), ``resumed``, ``note``, ``deploy`` and ``gate`` (from an hour before it on).
    """

    at: str
    kind: Literal["fail", "down", "pass", "gone", "suspended", "resumed", "note", "deploy", "gate"]
    journey: str | None
    run_id: str | None
    text: str
    """The error, the reason of what suspends, or the note."""
    who: str


class IncidentDocument(TypedDict):
    """What was down at one site; outages within 15 minutes of each other are one incident."""

    id: int
    site: str
    location: str
    open: bool
    began_at: str
    opened_at: str
    ended_at: str | None
    seconds: float
    """From its true beginning to its end, or until now."""
    severity: str
    """``page`` if that of any of its journeys is."""
    error_type: str
    error: str
    """First line of the first fail's, as ``error_type``, ``step`` and ``run_id``."""
    step: str
    run_id: str | None
    deploy: NearDeploy | None
    """The release that it began after, if one went out shortly before."""
    outages: list[OutageDocument]
    timeline: list[MomentDocument]
    """The oldest first."""


class IncidentsDocument(TypedDict):
    """``/incidents`` and ``/api/v1/incidents``."""

    at: str
    location: str
    incidents: list[IncidentDocument]
    """The open ones first, then the newest."""
    more: bool
    """Whether there are older ones; ``before`` asks for them."""
