"""What the API tells of a journey: as it is declared, as it stands, and what it came to."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from agent.core.run_document import blamed_attempt, failed_step
from agent.core.units import format_duration
from agent.daemon.run_lookup import links
from agent.runs.document import time
from agent.server.artifacts import link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.core.certificate import Certificate
    from agent.core.model import Cadence, Journey
    from agent.schedule.measured import Measured
    from agent.schedule.skips import Skipped
    from agent.storage.journey_state import JourneyState


def of_certificate(certificate: Certificate, now: float) -> dict[str, Any]:
    """Return a certificate, and whether its end is near at Unix time ``now``."""
    return {
        "host": certificate.host,
        "ends_at": time(certificate.ends_at),
        "lifetime": certificate.lifetime,
        "near": certificate.is_near(now),
    }


def declared(journey: Journey, location: str) -> dict[str, Any]:
    """Return what author and configuration say of a journey."""
    return {
        "journey": journey.name,
        "summary": journey.summary,
        "site": journey.site.name,
        "url": journey.site.url,
        "location": location,
        "owner": journey.owner,
        "severity": journey.severity,
        "runbook": journey.runbook,
        "file": f"{journey.file}:{journey.line}",
        "every": _every(journey.cadence),
        "timezone": journey.cadence.timezone,
        "timeout": journey.timeout,
        "slow": journey.slow,
        "every_failing": journey.every_failing,
        "enabled": journey.enabled,
    }


def _every(cadence: Cadence) -> str:
    return cadence.cron or format_duration(cadence.seconds or 0.0)


def standing(journey: Journey, state: JourneyState, now: float) -> dict[str, Any]:
    """Return how a journey stands at Unix time ``now``."""
    return {
        "up": state.is_up(journey.interval, now) if journey.enabled else None,
        "consecutive_failures": state.consecutive_failures,
        "consecutive_slow": state.consecutive_slow,
        "failing_since": _past(state.failing_since, now),
        "last_success_at": _past(state.last_success, now),
    }


def written(at: float | None) -> str | None:
    """Write a moment as the API has it."""
    return None if at is None else time(at)


def _past(at: float | None, now: float) -> str | None:
    """Write a moment of the past: of one before the clock was set back no more is known."""
    return None if at is None else time(min(at, now))


def brief(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a run what leads to its cause: the error, where it was, and the evidence."""
    blamed = blamed_attempt(run)
    # A flaky run was decided by an attempt that passed and has none.
    artifacts = run["artifacts"] or blamed.get("artifacts", [])
    screenshots = [path for path in artifacts if PurePosixPath(path).name == "screenshot.png"]
    told = ("run_id", "result", "scheduled_at", "started_at", "duration", "error_type", "error")
    return {
        **{key: run[key] for key in told},
        "step": failed_step(run),
        # Runs of an earlier version have none.
        "place": run.get("place"),
        "slow": run.get("slow", []),
        "trace_id": run["trace_id"],
        "screenshot": link(screenshots[0]) if screenshots else None,
        "artifacts": artifacts,
        "links": links(artifacts),
    }


def of_day(found: Measured | None) -> dict[str, Any]:
    """Return uptime and what it stands on, in per cent; null where nothing is known."""
    if found is None:
        return {"slots": 0, "uptime": None, "measured": None}
    return {"slots": found.slots, "uptime": found.uptime, "measured": found.share}


def of_skipped(skipped: Skipped, on_wall: Callable[[float], float]) -> dict[str, Any]:
    """Return slots that were skipped for one reason."""
    return {
        "reason": skipped.reason.value,
        "count": skipped.count,
        "last_at": time(on_wall(skipped.last_at)),
    }
