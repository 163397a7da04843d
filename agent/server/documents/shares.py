"""What slots came to, over a stretch of time."""

from __future__ import annotations

from typing import Literal, TypedDict

Bar = Literal["pass", "flaky", "fail", "not_measured", "suspended", "unknown"]
"""What a stretch of time came to, by the worst of it. ``suspended``: it was mostly paused or in a
window that stops; ``not_measured``: less than half of it was measured; ``unknown``: no slot ended
in it."""


class SkippedDocument(TypedDict):
    """Slots that were skipped for one reason."""

    reason: str
    count: int
    last_at: str


class ShareDocument(TypedDict):
    """What ended slots came to. Never show ``uptime`` without ``measured``, per cent of slots."""

    slots: int
    uptime: float | None
    """(pass + flaky) / (pass + flaky + fail), rounded down to three decimals."""
    measured: float | None


class UptimeDocument(ShareDocument):
    """The same over so many days, the last of which goes on: ``1`` is 24 hours."""

    days: int
    since: str
    passed: int
    flaky: int
    failed: int
    not_measured: int
    skipped: int
    slow: int
    silenced: int
    """Slots that were walked while ``silence`` held; they count as any."""


class StretchDocument(ShareDocument):
    """One bar: an hour or a day in UTC, that may still go on."""

    at: str
    """When it begins."""
    bar: Bar
    passed: int
    flaky: int
    failed: int
    not_measured: int
    skipped: dict[str, int]
    """By reason."""
    suspended: int
    """Of the skipped: those that a pause or a window stopped."""
    silenced: int
    """Slots that were walked while ``silence`` held: hatch the bar over."""
    slow: int
    median: float | None
    """Of the passes' durations, as ``p95``; both within 5 %."""
    p95: float | None


class BarsDocument(TypedDict):
    """What the last hours and days came to, the newest last; see ``BarSpans`` for when."""

    hours: list[Bar]
    days: list[Bar]


class BarSpans(TypedDict):
    """When the first of the bars begins."""

    hours: str
    days: str
