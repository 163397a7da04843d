"""The rule file: the same for the same journeys, of series that exist, in their owner's words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from agent.rules import series
from agent.rules.prometheus import write_rules
from agent.telemetry.catalogue import CATALOGUE
from agent.telemetry.prometheus import prometheus_label, prometheus_series
from tests.support.stories import journey, rules, watch

SEARCH = journey("search", 900.0, owner="discovery", runbook="", severity="")
MUG = journey()


def alerts_of(text: str, name: str) -> dict[str, dict]:
    """The alerts of a journey by name."""
    groups = yaml.safe_load(text)["groups"]
    (group,) = [one for one in groups if one["name"] == f"footfall-journey-{name}"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_the_same_journeys_print_the_same_bytes() -> None:
    """In whatever order they were found."""
    assert rules(MUG, SEARCH) == rules(SEARCH, MUG)


def test_series_and_labels_exist() -> None:
    """Whatever is asked for is sent by the agent under that name, or recorded by the rules."""
    document = yaml.safe_load(rules(MUG, SEARCH))
    all_rules = [rule for group in document["groups"] for rule in group["rules"]]
    asked = " ".join(rule["expr"] for rule in all_rules)
    sent = {name for metric in CATALOGUE.values() for name in prometheus_series(metric)}
    assert set(re.findall(r"\bfootfall_\w+", asked)) <= sent
    recorded = {rule["record"] for rule in all_rules if "record" in rule}
    assert set(re.findall(r"\bfootfall:[\w:]+", asked)) <= recorded
    labels = {prometheus_label(key) for one in CATALOGUE.values() for key in one.attributes}
    labels |= {"instance", "exported_instance", "service_instance_id", "le"}
    labels |= {"deployment_environment_name", "service_version"}
    told = set(re.findall(r"(\w+)=~?\"", asked))
    for listed in re.findall(r"(?:by|on) \(([^)]*)\)", asked):
        told |= set(listed.split(", ")) - {""}
    assert told <= labels


def test_the_head_speaks_of_alerts_that_are_there() -> None:
    """What it has for Alertmanager can be taken out as it stands."""
    text = rules(MUG)
    lines = [line.removeprefix("#") for line in text.splitlines() if line.startswith("#   ")]
    inhibiting = yaml.safe_load("\n".join(lines))["inhibit_rules"]
    groups = yaml.safe_load(text)["groups"]
    alerts = {rule.get("alert") for group in groups for rule in group["rules"]}
    matchers = [one["source_matchers"] + one["target_matchers"] for one in inhibiting]
    assert len(matchers) == 2
    assert set(re.findall(r"\b[A-Z]\w+", str(matchers))) <= alerts


def test_owner_severity_and_runbook() -> None:
    """They are the journey's; one that names no severity pages, one without a runbook has none."""
    text = rules(MUG, SEARCH)
    down = alerts_of(text, "buy_a_mug")["JourneyDown"]
    at = {"deployment_environment_name": "production"}
    mug = {"journey": "buy_a_mug", "severity": "page", "owner": "checkout"}
    assert down["labels"] == {**at, **mug}
    assert down["annotations"]["runbook_url"] == MUG.runbook
    other = alerts_of(text, "search")["JourneyDown"]
    search = {"journey": "search", "severity": "page", "owner": "discovery"}
    assert other["labels"] == {**at, **search}
    assert "runbook_url" not in other["annotations"]


def test_an_alert_leads_to_its_journeys_page() -> None:
    """Where it is said under which address people reach the agent; and to nowhere else."""
    at = replace(watch(), url="https://footfall.example.com")
    down = alerts_of(write_rules([MUG], at), "buy_a_mug")["JourneyDown"]
    assert down["annotations"]["page_url"] == "https://footfall.example.com/journeys/buy_a_mug"
    assert "page_url" not in alerts_of(rules(MUG), "buy_a_mug")["JourneyDown"]["annotations"]


def test_what_pages() -> None:
    """Of a journey, only an outage and a budget that burns fast have its severity."""
    text = rules(journey(severity="sev1"))
    found = {rule: one["labels"]["severity"] for rule, one in alerts_of(text, "buy_a_mug").items()}
    assert {rule for rule, severity in found.items() if severity == "sev1"} == {
        "JourneyDown",
        "ErrorBudgetBurnFast",
    }
    assert set(found.values()) == {"sev1", "ticket"}


@pytest.mark.parametrize(
    ("timeout", "bound"),
    [(8.0, "5"), (10.0, "7.5"), (20.0, "15"), (30.0, "20"), (60.0, "30"), (0.1, "0.075")],
)
def test_slow_is_told_at_a_boundary_of_the_buckets(timeout: float, bound: str) -> None:
    """Between two boundaries a quantile is a guess; the nearest one to three quarters holds."""
    slow = alerts_of(rules(journey(timeout=timeout)), "buy_a_mug")["JourneySlow"]
    assert f"> {bound}\n" in slow["expr"]


def test_a_location_is_quoted() -> None:
    """Any name of a place can be asked for."""
    text = rules(MUG, location='the "east"\\1')
    down = alerts_of(text, "buy_a_mug")["JourneyNotRunning"]
    assert r'location="the \"east\"\\1"' in down["expr"]


def test_a_challenge_is_a_ticket_with_its_cure() -> None:
    """Customers are fine where a bot is challenged: nothing pages, and it says what lets it in."""
    told = alerts_of(rules(MUG), "buy_a_mug")["Challenged"]
    assert told["labels"]["severity"] == "ticket"
    assert "identity.signing_key" in told["annotations"]["description"]


@pytest.mark.parametrize("environment", ["production", "eu.prod (1)", 'the "new" one\\2', "{{x}}"])
def test_rules_are_of_one_environment(environment: str) -> None:
    """Each selector asks for its series or those without any; each alert names it, as it is."""
    text = rules(MUG, environment=environment)
    matcher = f"deployment_environment_name=~{series.quote(re.escape(environment) + '|')}"
    for group in yaml.safe_load(text)["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                named = rule["labels"]["deployment_environment_name"]
                assert named.replace('{{ "{{" }}', "{{") == environment
            if rule.get("record", "").startswith("footfall:agent_"):
                continue
            for selector in re.split(r"\b(?=footfall[_:])", rule["expr"])[1:]:
                # Where an agent is now that has moved, whichever environment that is in.
                if not selector.startswith(("footfall:agent_heard:time[", "footfall:agent_loc")):
                    assert matcher in selector, selector
