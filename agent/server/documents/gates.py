"""A verdict on a release, and the walks that it comes from."""

from __future__ import annotations

from typing import Literal, TypedDict


class GateRun(TypedDict):
    """One walk of a gate, and how it counts."""

    run_id: str
    journey: str
    started_at: str
    duration: float
    result: str
    """``pass``, ``fail`` or ``not_measured``."""
    error_type: str | None
    error: str | None
    """The first line of it."""
    releases: list[str]
    """Those that answered it, as far as the site says."""
    counts: bool
    why: str | None
    """Why it doesn't count; None where it does."""


class GateHook(TypedDict):
    """What became of the roll-back hook of a gate that failed."""

    host: str
    state: Literal["calling", "called", "failed"]
    tries: int
    error: str | None
    at: str


class GateDocument(TypedDict):
    """A verdict that was asked for on a release. Values of headers are not told."""

    id: str
    address: str
    site: str
    journeys: list[str]
    release: str | None
    url: str | None
    headers: list[str]
    within: float
    baseline: float
    source: str
    asked_at: str
    ended_at: str | None
    seconds: float | None
    """From when it was asked for to its verdict."""
    verdict: Literal["pending", "pass", "fail", "error"]
    reasons: list[str]
    """In words; what decided comes first."""
    would_do: str | None
    """Of an ``error`` for want of time: the ``within`` that is enough, as far as can be told."""
    runs: list[GateRun]
    """In the order in which they ended."""
    hook: GateHook | None
    """None: there is none, or it isn't called for this verdict."""
    trace_id: str
