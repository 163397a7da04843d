"""What the API tells of a journey: as it is declared, as it stands, and what it came to."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypedDict

from agent.core.run_document import blamed_attempt, failed_step
from agent.core.units import format_duration
from agent.daemon.links import links
from agent.runs.document import time
from agent.server.artifacts import link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.certificate import Certificate
    from agent.core.model import Cadence, Journey
    from agent.server.documents.briefs import BriefDocument, RunLine
    from agent.server.documents.journey_page import DeclaredDocument
    from agent.server.documents.overview import CertificateDocument
    from agent.server.documents.replicas import MadeByDocument
    from agent.storage.journey_state import JourneyState


def of_certificate(certificate: Certificate, now: float) -> CertificateDocument:
    """Return a certificate, and whether its end is near at Unix time ``now``."""
    return {
        "host": certificate.host,
        "ends_at": time(certificate.ends_at),
        "lifetime": certificate.lifetime,
        "near": certificate.is_near(now),
    }


def declared(journey: Journey, location: str) -> DeclaredDocument:
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
        "public": journey.public,
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


class StateDocument(TypedDict):
    """How a journey stands by its state alone."""

    up: bool | None
    consecutive_failures: int
    consecutive_slow: int
    failing_since: str | None
    last_success_at: str | None


def standing(journey: Journey, state: JourneyState, now: float) -> StateDocument:
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


def brief(run: Mapping[str, Any], made_by: MadeByDocument | None = None) -> BriefDocument:
    """Return of a run what leads to its cause: the error, where it was, and the evidence.

    Of one that is ``made_by`` another replica, the evidence is there.
    """
    blamed = blamed_attempt(run)
    # A flaky run was decided by an attempt that passed and has none.
    artifacts = [] if made_by else run["artifacts"] or blamed.get("artifacts", [])
    screenshots = [path for path in artifacts if PurePosixPath(path).name == "screenshot.png"]
    told: BriefDocument = {
        "run_id": run["run_id"],
        "result": run["result"],
        "scheduled_at": run["scheduled_at"],
        "started_at": run["started_at"],
        "duration": run["duration"],
        "error_type": run["error_type"],
        "error": run["error"],
        "step": failed_step(run),
        # Runs of an earlier version have none.
        "place": run.get("place"),
        "slow": run.get("slow", []),
        "trace_id": run["trace_id"],
        "screenshot": link(screenshots[0]) if screenshots else None,
        "artifacts": artifacts,
        "links": links(artifacts),
    }
    if made_by is not None:
        told["made_by"] = made_by
    return told


def run_line(run: Mapping[str, Any], made_by: MadeByDocument | None = None) -> RunLine:
    """Return of a run what a list tells."""
    told: RunLine = {
        "run_id": run["run_id"],
        "result": run["result"],
        # Runs of an earlier version have neither this nor ``slow``.
        "closer": run.get("closer", False),
        "scheduled_at": run["scheduled_at"],
        "started_at": run["started_at"],
        "duration": run["duration"],
        "error_type": run["error_type"],
        "error": (run["error"] or "").partition("\n")[0] or None,
        "step": failed_step(run),
        "slow": bool(run.get("slow")),
    }
    if made_by is not None:
        told["made_by"] = made_by["name"]
    return told
