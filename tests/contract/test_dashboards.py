"""The dashboards in `deploy/grafana`: made from their source, about metrics that there are."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from agent.telemetry.catalogue import CATALOGUE
from agent.telemetry.prometheus import prometheus_label, prometheus_series
from deploy.grafana.source.render import DASHBOARDS, render
from tests.support import grafana

ALL = grafana.load()
QUERIES = [
    (dashboard, panel, target)
    for dashboard in ALL
    for panel in dashboard.panels
    for target in panel["targets"]
]
EACH = pytest.mark.parametrize("dashboard", ALL, ids=lambda one: one.path.stem)
BUILT_IN = {"__interval", "__rate_interval", "__range"}
OF_RESOURCE = {"service_instance_id", "service_version", "deployment_environment_name"}
_SELECTOR = re.compile(r"\b(footfall_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)(!?[=~]~?)\"([^\"]*)\"")
_GROUPING = re.compile(r"\b(?:by|on|group_left) \(([^)]*)\)")


def series() -> dict[str, dict[str, frozenset[str] | None]]:
    """Every series as Prometheus names it, with its labels and their allowed values."""
    found = {}
    for metric in CATALOGUE.values():
        labels = {prometheus_label(key): values for key, values in metric.attributes.items()}
        for name in prometheus_series(metric):
            found[name] = {**labels, **({"le": None} if name.endswith("_bucket") else {})}
    return found


SERIES = series()


def test_files_are_those_of_the_source() -> None:
    """What `make dashboards` would write is what is there, and nothing else is."""
    assert {one.path.stem for one in ALL} == set(DASHBOARDS)
    for one in ALL:
        assert one.path.read_text("utf-8") == render(one.path.stem)


@EACH
def test_metrics_and_labels_exist(dashboard) -> None:
    """A query names no metric, label or value that the agent never sends: `or vector(0)` would
    hide that for ever."""
    for asked in dashboard.queries({}, 3600):
        selectors = _SELECTOR.findall(asked.expr)
        assert selectors, asked
        known = {"le"} | OF_RESOURCE
        for name, matchers in selectors:
            assert name in SERIES, asked
            known |= set(SERIES[name])
            for label, operator, value in _MATCHER.findall(matchers):
                assert label in {*SERIES[name], *OF_RESOURCE}, (label, asked)
                allowed = SERIES[name].get(label)
                if allowed and value and not value.startswith("$"):
                    words = value.split("|") if "~" in operator else [value]
                    assert set(words) <= allowed, asked
        for labels in _GROUPING.findall(asked.expr):
            assert {label.strip() for label in labels.split(",")} <= known, asked


@EACH
def test_variables_are_those_that_there_are(dashboard) -> None:
    """Whatever a query or a variable is filled in with is a variable of the dashboard, and
    every one of them is used."""
    names = [variable["name"] for variable in dashboard.variables]
    used = set()
    asked = [target["expr"] for one, _, target in QUERIES if one is dashboard]
    for text in [*asked, *(v["query"]["query"] for v in dashboard.variables[1:])]:
        used |= set(re.findall(r"\$(\w+)", text))
    assert used - BUILT_IN == set(names) - {"datasource"}
    assert (dashboard.variables[0]["type"], dashboard.variables[0]["query"]) == (
        "datasource",
        "prometheus",
    )
    for one, panel, target in QUERIES:
        if one is dashboard:
            for source in (panel["datasource"], target["datasource"]):
                assert source == {"type": "prometheus", "uid": "${datasource}"}


@EACH
def test_panels_explain_themselves(dashboard) -> None:
    """Each panel has a title of its own within its row, a description and a unit; each line a
    legend; what counts bars says over which time."""
    for panel in dashboard.panels:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert all(target["legendFormat"] != "__auto" for target in panel["targets"])
        if any("$__interval]" in target["expr"] for target in panel["targets"]):
            assert "interval" in panel, panel["title"]


@EACH
def test_thresholds_are_shown(dashboard) -> None:
    """Whatever has thresholds or states is coloured by them, and what has none is not: Grafana
    takes a palette's colours otherwise, and red would mean nothing."""
    for panel in dashboard.panels:
        defaults, overrides = panel["fieldConfig"]["defaults"], panel["fieldConfig"]["overrides"]
        judged = len(defaults["thresholds"]["steps"]) > 1 or bool(defaults["mappings"])
        judged |= any(p["id"] == "thresholds" for o in overrides for p in o["properties"])
        if panel["type"] == "timeseries":
            style = defaults["custom"]["thresholdsStyle"]["mode"]
            assert style == ("dashed" if judged else "off"), panel["title"]
        elif panel["type"] != "table" or judged:
            mode = defaults["color"]["mode"]
            assert mode == ("thresholds" if judged else "fixed"), panel["title"]


@EACH
def test_panels_lie_beside_each_other(dashboard) -> None:
    """No panel covers another or leaves the grid of 24 columns; ids are unique."""
    panels = dashboard.document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@EACH
def test_links_lead_to_dashboards(dashboard) -> None:
    """Every link opens a dashboard of these, and fills in variables that it has."""
    assert dashboard.document["links"][0]["tags"] == dashboard.document["tags"]
    by_uid = {one.document["uid"]: one for one in ALL}
    links = re.findall(r'"url": "(/d/[^"]*)"', dashboard.path.read_text("utf-8"))
    assert links or dashboard.path.stem != "fleet"
    for link in links:
        uid, _, query = link.removeprefix("/d/").partition("?")
        names = {variable["name"] for variable in by_uid[uid].variables}
        assert set(re.findall(r"var-(\w+)=", query)) <= names


def test_durations_show_single_runs() -> None:
    """Exemplars are asked for wherever a journey's durations are drawn: they lead to traces."""
    drawn = [
        target["exemplar"]
        for dashboard, panel, target in QUERIES
        if dashboard.path.stem == "journey"
        and panel["type"] == "timeseries"
        and "_duration_seconds_bucket" in target["expr"]
    ]
    assert len(drawn) == 4
    assert all(drawn)
