"""Figures, charts and timelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from deploy.grafana.source.panel import VERDICTS, Json, Meanings, Panel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.grafana.source.panel import Query

_SCALE: Final = {"pass": "green", "flaky": "yellow", "fail": "red", "not_measured": "purple"}


@dataclass(frozen=True, kw_only=True)
class Stat(Panel):
    """Single figures, as they are now."""

    kind = "stat"
    instant = True
    width: int = 3
    height: int = 4
    filled: bool = True

    def _options(self) -> Json:
        return {
            "colorMode": "background" if self.filled else "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "value" if not self.queries[0].legend else "value_and_name",
            "wideLayout": True,
        }


@dataclass(frozen=True, kw_only=True)
class Chart(Panel):
    """Lines, or with ``bars`` what fell into each interval, over time.

    ``exemplars`` shows single runs beside them, where the data source keeps them. ``most``
    is the end of the axis.
    """

    kind = "timeseries"
    bars: bool = False
    stacked: bool = False
    exemplars: bool = False
    most: float | None = None

    def _target(self, letter: str, query: Query) -> Json:
        return {**super()._target(letter, query), "exemplar": self.exemplars}

    def _defaults(self) -> Json:
        return {
            **super()._defaults(),
            "color": {"mode": "palette-classic"},
            "min": 0,
            **({"max": self.most} if self.most is not None else {}),
            "custom": {
                "drawStyle": "bars" if self.bars else "line",
                "lineWidth": 1,
                "fillOpacity": 80 if self.bars else 10,
                "showPoints": "never" if self.bars else "auto",
                # A journey that runs seldom leaves gaps that mean nothing.
                "spanNulls": not self.bars and bool(self.every),
                "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
                "thresholdsStyle": {"mode": "dashed" if self.steps else "off"},
            },
        }

    def _overrides(self) -> Iterator[Json]:
        for result, colour in _SCALE.items():
            yield {
                "matcher": {"id": "byName", "options": result},
                "properties": [
                    {"id": "color", "value": {"mode": "fixed", "fixedColor": colour}},
                ],
            }

    def _options(self) -> Json:
        sums = ["sum"] if self.bars else ["lastNotNull", "max"]
        return {
            "legend": {
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
                "calcs": sums,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }


@dataclass(frozen=True, kw_only=True)
class Bars(Chart):
    """What fell into each five minutes, one kind on top of the other."""

    every: str = "5m"
    bars: bool = True
    stacked: bool = True


@dataclass(frozen=True, kw_only=True)
class Timeline(Panel):
    """A line for each series that is coloured by its state."""

    kind = "state-timeline"
    states: Meanings = VERDICTS
    width: int = 24

    def _defaults(self) -> Json:
        return {**super()._defaults(), "custom": {"fillOpacity": 80, "lineWidth": 0}}

    def _options(self) -> Json:
        return {
            "alignValue": "left",
            "mergeValues": True,
            "rowHeight": 0.9,
            "showValue": "never",
            "perPage": 20,
            "legend": {
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": [],
            },
            "tooltip": {"mode": "single", "sort": "none"},
        }
