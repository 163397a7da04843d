"""`deploy/gates`: what is copied from there is taken by the tools, and by the agent.

The tools' own schemas are in no package at hand: what is held here is the part of them that the
templates use, read in ``manifests/crds/analysis-template-crd.yaml`` and ``docs/analysis/web.md`` of
argoproj/argo-rollouts, ``artifacts/flagger/crd.yaml`` of fluxcd/flagger, and GitHub's and GitLab's
references.
"""

from __future__ import annotations

import json
import re

import jsonschema
import kubernetes_validate
import pytest
import yaml

from agent.server.adapters import argo_rollouts, flagger, github
from agent.server.adapters.measurement import Measurement
from tests.support.deploying import DEPLOY

GATES = DEPLOY / "gates"
PLACE = re.compile(r"\{\{ args\.([a-z-]+) \}\}")
TEXT = {"type": "string", "minLength": 1}
ADDRESS = "https://footfall.example.com"


def table(required=(), **properties):
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {name.replace("_", "-"): value for name, value in properties.items()},
    }


def many(items):
    return {"type": "array", "minItems": 1, "items": items}


ARGUMENT = table(
    ["name"],
    name=TEXT,
    value=TEXT,
    valueFrom=table(
        secretKeyRef=table(["name", "key"], name=TEXT, key=TEXT),
        fieldRef=table(["fieldPath"], fieldPath=TEXT),
        podTemplateHashValue={"enum": ["Stable", "Latest"]},
    ),
)
LIMIT = {"type": ["integer", "string"]}
WEB = table(
    ["url"],
    method={"enum": ["GET", "POST", "PUT"]},
    url=TEXT,
    timeoutSeconds={"type": "integer"},
    headers=many(table(["key", "value"], key=TEXT, value=TEXT)),
    jsonBody={"type": "object"},
    jsonPath=TEXT,
)
ANALYSIS = table(
    ["metrics"],
    args=many(ARGUMENT),
    metrics=many(
        table(
            ["name", "provider"],
            name=TEXT,
            count=LIMIT,
            failureLimit=LIMIT,
            inconclusiveLimit=LIMIT,
            consecutiveErrorLimit=LIMIT,
            successCondition=TEXT,
            failureCondition=TEXT,
            provider=table(["web"], web=WEB),
        )
    ),
)
WEBHOOK = table(
    ["name", "url"],
    name=TEXT,
    type={"enum": list(flagger.HOOKS)},
    url=TEXT,
    timeout={"type": "string", "pattern": "^[0-9]+(m|s)"},
    metadata={"type": "object", "additionalProperties": {"type": "string"}},
)
CANARY = table(
    ["targetRef", "service", "analysis"],
    targetRef=table(
        ["apiVersion", "kind", "name"],
        apiVersion=TEXT,
        kind={"enum": ["DaemonSet", "Deployment", "Service"]},
        name=TEXT,
    ),
    service=table(["port"], port={"type": "number"}),
    analysis=table(
        ["interval", "threshold", "stepWeight"],
        interval={"type": "string", "pattern": "^[0-9]+(m|s)"},
        threshold={"type": "number"},
        maxWeight={"type": "number"},
        stepWeight={"type": "number"},
        webhooks=many(WEBHOOK),
    ),
)


def documents(name):
    return list(yaml.safe_load_all((GATES / name).read_text("utf-8")))


def test_the_analysis_template_is_one():
    """With both conditions, so that no verdict pauses and neither promotes nor rolls back; and as
    many errors as Argo Rollouts asks again after."""
    template, secret, rollout = documents("argo-rollouts.yaml")
    assert (template["apiVersion"], template["kind"]) == (
        "argoproj.io/v1alpha1",
        "AnalysisTemplate",
    )
    jsonschema.validate(template["spec"], ANALYSIS)
    kubernetes_validate.validate(secret, kubernetes_validate.latest_version(), strict=True)
    (metric,) = template["spec"]["metrics"]
    web = metric["provider"]["web"]
    assert metric["successCondition"] == 'result == "pass"'
    assert metric["failureCondition"] == 'result == "fail"'
    assert (metric["count"], metric["consecutiveErrorLimit"]) == (1, 4)
    assert (web["method"], web["jsonPath"], web["timeoutSeconds"]) == ("POST", "{$.verdict}", 10)
    assert web["url"] == ADDRESS + argo_rollouts.PATH
    (step,) = [
        step for step in rollout["spec"]["strategy"]["canary"]["steps"] if "analysis" in step
    ]
    jsonschema.validate(step["analysis"]["args"], many(ARGUMENT))
    named = {one["name"] for one in template["spec"]["args"]}
    assert {one["name"] for one in step["analysis"]["args"]} | {"token"} == named


def test_what_the_analysis_template_sends_is_taken():
    """Once its arguments are put in, each of which it declares."""
    template, secret, _ = documents("argo-rollouts.yaml")
    text = json.dumps(template["spec"]["metrics"])
    used = set(PLACE.findall(text))
    assert used == {one["name"] for one in template["spec"]["args"]}
    body = template["spec"]["metrics"][0]["provider"]["web"]["jsonBody"]
    said = {
        name: re.sub(r"\{\{ args\.([a-z-]+) \}\}", r"\1", value) for name, value in body.items()
    }
    measured = Measurement.model_validate(said)
    assert (measured.site, measured.measurement) == ("site", "revision pod-template-hash step")
    assert list(secret["stringData"]) == ["token"]


def test_the_canary_is_one():
    """Each webhook asks at the route of its own type, within the ten seconds that Flagger waits."""
    (canary,) = documents("flagger.yaml")
    assert (canary["apiVersion"], canary["kind"]) == ("flagger.app/v1beta1", "Canary")
    jsonschema.validate(canary["spec"], CANARY)
    hooks = canary["spec"]["analysis"]["webhooks"]
    assert {hook["type"] for hook in hooks} == {"pre-rollout", "rollout", "rollback", "event"}
    for hook in hooks:
        assert hook["url"] == f"{ADDRESS}{flagger.PATH}/{hook['type']}"
        assert set(hook["metadata"]) == {"token", "site", "release", "within"}
        assert hook["metadata"]["within"] == "8s"


def test_the_github_app_asks_for_little():
    """For what protection rules and deployments take, and its webhook leads to the adapter."""
    app = json.loads((GATES / "github-app.json").read_text("utf-8"))
    assert app["hook_attributes"]["url"] == ADDRESS + github.PATH
    assert app["default_permissions"] == {"actions": "read", "deployments": "write"}
    assert set(app["default_events"]) == {"deployment_protection_rule", "deployment_status"}
    assert app["public"] is False


def test_only_a_release_that_failed_is_rolled_back():
    """By exit code 1 alone: no verdict is for a person, in both of them."""
    (workflow,) = documents("github-workflow.yaml")
    jobs = workflow["jobs"]
    assert set(jobs) == {"deploy", "gate", "roll-back"}
    assert jobs["roll-back"]["if"] == "failure() && needs.gate.outputs.code == '1'"
    assert jobs["gate"]["outputs"] == {"code": "${{ steps.gate.outputs.code }}"}
    (ci,) = documents("gitlab-ci.yml")
    assert ci["gate"]["allow_failure"] == {"exit_codes": [2, 3, 4]}
    assert ci["roll-back"]["needs"] == ["gate"]
    assert [rule["when"] for rule in ci["roll-back"]["rules"]] == ["on_failure"]
    assert {ci[job]["stage"] for job in ("deploy", "gate", "roll-back")} == set(ci["stages"])


@pytest.mark.parametrize("name", ["github-workflow.yaml", "gitlab-ci.yml"])
def test_the_command_is_the_agents(name):
    """With options that it has, and no secret on the command line."""
    text = (GATES / name).read_text("utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"footfall gate .*", text)[-1:]
    assert set(re.findall(r"--[a-z]+", line)) == {"--url", "--site", "--release", "--within"}
    assert "TOKEN" not in line
