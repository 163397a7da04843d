"""OpenSLO: whole objects, of the names, durations and numbers that version 1 allows."""

from __future__ import annotations

import re

import pytest
import yaml

from agent.rules.openslo import write_objectives
from tests.support.stories import journey, watch

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
DURATION = re.compile(r"[1-9][0-9]*[mhdwMQY]")
JOURNEYS = [journey(), journey("a_b_", 3600.0, owner="", runbook="", summary="s" * 2000)]


@pytest.fixture
def objects() -> list[dict]:
    return list(yaml.safe_load_all(write_objectives(JOURNEYS, watch(objective=99.9))))


def of(objects: list[dict], kind: str) -> list[dict]:
    return [one for one in objects if one["kind"] == kind]


def test_each_object_is_whole(objects) -> None:
    """Version, kind and a name that is one DNS label, no two alike of a kind."""
    for one in objects:
        assert one["apiVersion"] == "openslo/v1"
        assert one.keys() == {"apiVersion", "kind", "metadata", "spec"}
        assert NAME.fullmatch(one["metadata"]["name"])
        assert one["metadata"].get("displayName", "x")
        assert len(one["spec"].get("description", "")) <= 1050
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]
    assert len(set(names)) == len(names)


def test_a_service_and_an_objective_for_each_journey(objects) -> None:
    """The objective's indicator counts pass and flaky out of all that was measured."""
    services = [one["metadata"]["name"] for one in of(objects, "Service")]
    assert services == ["footfall-a-b-0", "footfall-buy-a-mug"]
    slos = of(objects, "SLO")
    assert [slo["spec"]["service"] for slo in slos] == services
    for slo, one in zip(slos, ("a_b_", "buy_a_mug"), strict=True):
        spec = slo["spec"]
        ratio = spec["indicator"]["spec"]["ratioMetric"]
        runs = f'sum(footfall_journey_runs_total{{journey="{one}", result=~'
        assert ratio["counter"] is True
        assert [ratio[part]["metricSource"]["spec"]["query"] for part in ("good", "total")] == [
            f'{runs}"pass|flaky", deployment_environment_name=~"production|"}})',
            f'{runs}"pass|flaky|fail", deployment_environment_name=~"production|"}})',
        ]
        assert spec["budgetingMethod"] == "Occurrences"
        assert spec["timeWindow"] == [{"duration": "30d", "isRolling": True}]
        assert [goal["target"] for goal in spec["objectives"]] == [0.999]


def test_policies(objects) -> None:
    """What is referred to is there; each policy has one condition, of a burn rate."""
    policies = {one["metadata"]["name"]: one["spec"] for one in of(objects, "AlertPolicy")}
    targets = {one["metadata"]["name"] for one in of(objects, "AlertNotificationTarget")}
    referred = [
        one["alertPolicyRef"] for slo in of(objects, "SLO") for one in slo["spec"]["alertPolicies"]
    ]
    assert referred == list(policies)
    for policy in policies.values():
        assert {one["targetRef"] for one in policy["notificationTargets"]} <= targets
        ((condition),) = policy["conditions"]
        inner = condition["spec"]["condition"]
        assert inner["kind"] == "burnrate"
        assert inner["threshold"] > 0
        assert DURATION.fullmatch(inner["lookbackWindow"])
        assert DURATION.fullmatch(inner["alertAfter"])
        assert condition["spec"]["severity"] in {"page", "ticket"}


def test_the_same_journeys_print_the_same_bytes() -> None:
    """In whatever order they were found."""
    made_for = watch()
    assert write_objectives(JOURNEYS, made_for) == write_objectives(JOURNEYS[::-1], made_for)


def test_a_variant_beside_a_journey_of_like_name() -> None:
    """buy-de and buy_de would be one name here: they are two."""
    journeys = [journey("buy-de"), journey("buy_de")]
    objects = list(yaml.safe_load_all(write_objectives(journeys, watch(objective=99.9))))
    names = {one["metadata"]["name"] for one in of(objects, "Service")}
    assert len(names) == 2
    assert all(NAME.fullmatch(one) for one in names)
