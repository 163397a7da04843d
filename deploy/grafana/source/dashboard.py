"""A dashboard: its variables, and its panels laid out in rows from left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deploy.grafana.source.panel import SOURCE, Json, Panel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH: Final = 24
TAG: Final = "footfall"
"""What all of them carry, and what the links between them go by."""


@dataclass(frozen=True)
class Choice:
    """A variable that lists the values of ``label`` of the series ``of``.

    ``several``: more than one value may be chosen, and all are at first. ``every`` is what all
    of them match: any value, or none as well, where a store need not keep the label.
    """

    name: str
    title: str
    of: str
    label: str
    several: bool = True
    every: str = ".+"

    def document(self) -> Json:
        """Return the variable as Grafana reads it."""
        query = f"label_values({self.of}, {self.label})"
        all_: Json = {"text": ["All"], "value": ["$__all"]}
        return {
            "name": self.name,
            "label": self.title,
            "type": "query",
            "datasource": SOURCE,
            "query": {"qryType": 1, "query": query, "refId": "values"},
            "refresh": 2,  # whenever the time range changes: journeys come and go
            "sort": 1,
            "regex": "",
            "multi": self.several,
            "includeAll": self.several,
            **({"allValue": self.every, "current": all_} if self.several else {}),
            "options": [],
            "hide": 0,
        }


@dataclass(frozen=True)
class Annotation:
    """Times that every chart marks: those at which ``expr`` has a series."""

    name: str
    expr: str
    title: str
    text: str
    colour: str = "blue"

    def document(self) -> Json:
        """Return it as Grafana reads it."""
        return {
            "name": self.name,
            "datasource": SOURCE,
            "enable": True,
            "hide": False,
            "iconColor": self.colour,
            "expr": self.expr,
            "step": "30s",
            "titleFormat": self.title,
            "textFormat": self.text,
            "useValueForTime": False,
        }


@dataclass(frozen=True)
class Row:
    """A heading with panels below it, each as wide as it says."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Dashboard:
    """One dashboard. ``uid`` is its lasting address: ``/d/<uid>``."""

    uid: str
    title: str
    description: str
    choices: Sequence[Choice]
    rows: Sequence[Row]
    annotations: Sequence[Annotation] = ()

    def document(self) -> Json:
        """Return the dashboard as Grafana reads it."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": 41,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,  # one crosshair through all panels
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "annotations": {"list": [one.document() for one in self.annotations]},
            "links": [_LINK],
            "templating": {"list": [_SOURCES, *(choice.document() for choice in self.choices)]},
            "panels": list(self._panels()),
        }

    def _panels(self) -> Iterator[Json]:
        number, top = 0, 0
        for row in self.rows:
            number += 1
            yield {
                "id": number,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": {"h": 1, "w": _WIDTH, "x": 0, "y": top},
                "panels": [],
            }
            top += 1
            left = height = 0
            for panel in row.panels:
                if left + panel.width > _WIDTH:
                    top, left, height = top + height, 0, 0
                number += 1
                place = {"h": panel.height, "w": panel.width, "x": left, "y": top}
                yield {"id": number, "gridPos": place, **panel.document()}
                left += panel.width
                height = max(height, panel.height)
            top += height


_SOURCES: Final[Json] = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "refresh": 1,
    "regex": "",
    "multi": False,
    "includeAll": False,
    "options": [],
    "hide": 0,
}
_LINK: Final[Json] = {
    "type": "dashboards",
    "title": "Footfall",
    "tags": [TAG],
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
    "icon": "external link",
    "tooltip": "",
    "url": "",
}
