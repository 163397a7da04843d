"""A run as the JSON object that ``once --json`` prints and the history keeps."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.core.slowness import too_slow

if TYPE_CHECKING:
    from agent.core.beacon_report import Beacon
    from agent.core.results import Attempt, RunResult, Step
    from agent.core.slowness import TooSlow
    from agent.core.source_line import SourceLine


def document(run: RunResult) -> dict[str, Any]:
    """Return the public form of a run: times are RFC 3339 in UTC, durations seconds."""
    return {
        "run_id": run.run_id,
        "journey": run.journey.name,
        "site": run.journey.site.name,
        "location": run.location,
        "trigger": run.trigger.value,
        "closer": run.closer,
        "scheduled_at": None if run.scheduled_at is None else time(run.scheduled_at),
        "started_at": time(run.started_at),
        "duration": _seconds(run.duration),
        "result": run.result.value,
        "error_type": run.error_type.value if run.error_type else None,
        "error": run.error or None,
        "place": _place(run.place),
        "changes": [change.document() for change in run.comparison.changes],
        "compared_with": run.comparison.passes,
        "slow": [_too_slow(one) for one in too_slow(run)],
        "release": run.release or None,
        "trace_id": run.trace_id,
        "attempts": [_attempt(attempt) for attempt in run.attempts],
        "artifacts": list(run.artifacts),
        "beacons": [
            _beacon(beacon) for attempt in run.attempts for beacon in attempt.audit.beacons
        ],
        "beacon_counts": _beacon_counts(run),
    }


def _too_slow(one: TooSlow) -> dict[str, Any]:
    return {"step": one.step, "limit": _seconds(one.limit), "seconds": _seconds(one.seconds)}


def _beacon(beacon: Beacon) -> dict[str, Any]:
    return {"vendor": beacon.vendor, "url": beacon.url, "action": beacon.action.value}


def _beacon_counts(run: RunResult) -> dict[str, int]:
    """Count all beacons by what became of them: only the first are listed."""
    counts: Counter[str] = Counter()
    for attempt in run.attempts:
        for action, vendors in attempt.audit.counts.items():
            counts[action.value] += sum(vendors.values())
    return dict(counts)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "result": attempt.result.value,
        "error_type": attempt.error_type.value if attempt.error_type else None,
        "error": attempt.error or None,
        "place": _place(attempt.place),
        "duration": _seconds(attempt.duration),
        "steps": [step_document(step) for step in attempt.steps],
        "releases": list(attempt.releases),
        "artifacts": list(attempt.artifacts),
    }


def _place(place: SourceLine | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "source": place.source}


def step_document(step: Step) -> dict[str, Any]:
    """Return the public form of a step."""
    duration = None if step.duration is None else _seconds(step.duration)
    return {
        "name": step.name,
        "result": step.result.value,
        "duration": duration,
        "optional": step.optional,
    }


def _seconds(seconds: float) -> float:
    return round(seconds, 6)


def time(at: float) -> str:
    """Write a moment, in Unix seconds, as everything public does."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
