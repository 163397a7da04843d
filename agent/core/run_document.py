"""What the public form of a run says, and no field of it says alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def blamed_attempt(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attempt whose error the run carries; empty where there is none."""
    carries = (run["error_type"], run["error"])
    attempts = run["attempts"] if run["error_type"] else []
    return next((one for one in attempts if (one["error_type"], one["error"]) == carries), {})


def failed_step(run: Mapping[str, Any]) -> str | None:
    """Return the innermost step that failed in that attempt; None: none did."""
    # Steps are listed as they end, so the innermost comes first.
    steps = blamed_attempt(run).get("steps", ())
    return next((step["name"] for step in steps if step["result"] == "fail"), None)


def traces(run: Mapping[str, Any]) -> list[str]:
    """Return the paths of a run's traces: of the attempt that decided, then of the others."""
    listed = [*run["artifacts"], *(path for one in run["attempts"] for path in one["artifacts"])]
    return [path for path in dict.fromkeys(listed) if path.endswith("/trace.zip")]
