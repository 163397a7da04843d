"""Dashboards as Grafana has them: what each panel asks once its variables stand for values."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.service import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER = ROOT / "deploy" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_POINTS = 400
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}")
_LABEL_VALUES = re.compile(r"label_values\((?P<of>.+), (?P<label>\w+)\)")


@dataclass(frozen=True)
class Asked:
    """One query of a panel, or of what all panels mark; its points are ``step`` seconds apart."""

    panel: str
    letter: str
    expr: str
    instant: bool
    step: float


@dataclass(frozen=True)
class Dashboard:
    """One file. ``scrape`` is the data source's own interval in seconds."""

    path: Path
    document: dict[str, Any]
    scrape: float

    @property
    def variables(self) -> list[dict[str, Any]]:
        return self.document["templating"]["list"]

    @property
    def panels(self) -> list[dict[str, Any]]:
        return [panel for panel in self.document["panels"] if panel["type"] != "row"]

    def queries(self, chosen: Mapping[str, str], shown: float) -> Iterator[Asked]:
        """Each panel's and annotation's queries where ``chosen`` is chosen and ``shown`` seconds
        are shown."""
        for panel in self.panels:
            least = seconds(panel["interval"]) if "interval" in panel else self.scrape
            step = max(shown / _POINTS, least, self.scrape)
            values = {
                **chosen,
                "__interval": f"{step:g}s",
                "__rate_interval": f"{max(step + self.scrape, 4 * self.scrape):g}s",
                "__range": f"{shown:g}s",
            }
            for target in panel["targets"]:
                expr = interpolate(target["expr"], values)
                yield Asked(panel["title"], target["refId"], expr, target["instant"], step)
        for annotation in self.document["annotations"]["list"]:
            expr = interpolate(annotation["expr"], chosen)
            yield Asked(annotation["name"], "A", expr, False, seconds(annotation["step"]))

    def values_of(self, variable: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[str, str]:
        """What a variable asks: a selector, and the label whose values it lists."""
        found = _LABEL_VALUES.fullmatch(variable["query"]["query"])
        assert found, variable["query"]
        return interpolate(found["of"], chosen), found["label"]


def load() -> list[Dashboard]:
    """Every dashboard, with the interval of the data source that is provisioned."""
    source = (FOLDER / "provisioning" / "datasources" / "footfall.yaml").read_text("utf-8")
    (interval,) = re.findall(r"timeInterval: (\w+)", source)
    return [
        Dashboard(path, json.loads(path.read_text("utf-8")), seconds(interval)) for path in FILES
    ]


def seconds(duration: str) -> float:
    return float(duration[:-1]) * _SECONDS[duration[-1]]


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """Put values in place of variables; one that has none is left, and fails the query."""

    def put(found: re.Match[str]) -> str:
        return values.get(found[1] or found[2], found[0])

    return _VARIABLE.sub(put, text)
