"""The artifacts of a run, and where each is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.server.artifacts import link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def artifacts_of(run: Mapping[str, Any]) -> list[str]:
    """Return the paths of all that is kept of a run's attempts."""
    return [path for attempt in run["attempts"] for path in attempt["artifacts"]]


def links(artifacts: Iterable[str]) -> dict[str, str]:
    """Return where each of these is served."""
    return {path: link(path) for path in artifacts}
