"""Every dashboard by the name of its file, and its text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from deploy.grafana.source import agent, fleet, journey

FOLDER: Final = Path(__file__).parents[1] / "dashboards"
DASHBOARDS: Final = {
    "fleet": fleet.DASHBOARD,
    "journey": journey.DASHBOARD,
    "agent": agent.DASHBOARD,
}


def render(name: str) -> str:
    """Return the dashboard as Grafana reads it."""
    return json.dumps(DASHBOARDS[name].document(), indent=2, ensure_ascii=False) + "\n"
