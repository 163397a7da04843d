"""An attempt with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from agent.server.documents.briefs import SourceLineDocument


class StepSpan(TypedDict):
    """A step of the waterfall. ``start`` counts from its attempt's start; None: never reached."""

    name: str
    result: str
    start: float | None
    duration: float | None
    depth: int
    """0 for a step that stands in no other."""
    slow: float | None
    """Seconds above which it is slow."""
    optional: bool
    """Whether its failure does not end the walk."""
    span_id: str | None


class RequestSpan(TypedDict):
    """A first-party request of the waterfall; ``step`` is an index into the attempt's steps."""

    method: str
    url: str
    kind: str
    """``document``, ``xhr``, ``fetch``, ``api``."""
    status: int | None
    error: str | None
    start: float
    duration: float
    step: int | None
    span_id: str


class ThirdPartyDocument(TypedDict):
    """What an attempt had to do with one vendor, or with one origin that nobody knows."""

    vendor: str
    category: str
    """Empty where nobody knows it."""
    origins: list[str]
    requests: int
    actions: dict[str, int]
    """Beacons by what became of them."""


class PageErrorDocument(TypedDict):
    """An uncaught error of a page's script, and how many times it came."""

    error: str
    at: str
    party: str
    times: int


class AttemptDocument(TypedDict):
    """One walk with its evidence."""

    number: int
    result: str
    error_type: str | None
    error: str | None
    place: SourceLineDocument | None
    started_at: str | None
    duration: float
    steps: list[StepSpan]
    """In the order in which they began; what was never reached comes last."""
    requests: list[RequestSpan]
    """In the order in which they began."""
    requests_cut: bool
    """Whether there were more than are told."""
    third_parties: list[ThirdPartyDocument]
    """Those with the most requests first."""
    screenshot: str | None
    """Its address."""
    trace: str | None
    title: str | None
    """Of the page that it failed on, as ``url``."""
    url: str | None
    console: list[str]
    page_errors: list[PageErrorDocument]
    failed_requests: list[str]
    missing: list[str]
    """Evidence that could not be had, and why."""
