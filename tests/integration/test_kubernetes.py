"""`deploy/kubernetes`, as kubectl puts it together."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest

from agent.config import load
from agent.daemon import drain
from agent.server.health import health_routes
from tests.support import deploying
from tests.support.deploying import DEPLOY, DOCKERFILE, STATE, WRITTEN_TO, checked
from tests.support.docs import Docs


@cache
def manifests() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for document in deploying.manifests():
        found.setdefault(document["kind"], []).append(document)
    return found


def pod() -> dict[str, Any]:
    (deployment,) = manifests()["Deployment"]
    return deployment["spec"]["template"]["spec"]


def size(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(.*)", text).groups()
    return float(number) * {"": 1, "Mi": 2**20, "Gi": 2**30}[unit]


def test_manifests_are_strictly_valid():
    """No manifest has a key that Kubernetes doesn't know, or lacks one that it needs."""
    version = kubernetes_validate.latest_version()
    every = [document for documents in manifests().values() for document in documents]
    assert {document["kind"] for document in every} == {
        "ConfigMap",
        "Deployment",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolumeClaim",
    }
    for document in every:
        kubernetes_validate.validate(document, version, strict=True)
    (deployment,) = manifests()["Deployment"]
    broken = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, version, strict=True)


async def test_the_pod_has_a_sound_configuration(tmp_path):
    """The loader takes ConfigMaps and Secret, laid out as the kubelet does, together with the
    pod's variables, and the journey is on the schedule once."""
    data = {
        document["metadata"]["name"].rpartition("-")[0]: document["data"]
        for document in manifests()["ConfigMap"]
    }
    config = deploying.mount(tmp_path / "etc", data["footfall-config"]) / "config.toml"
    journeys = deploying.mount(tmp_path / "journeys", data["footfall-journeys"])
    (container,) = pod()["containers"]
    variables = {one["name"]: one["value"] for one in container["env"]}
    secret = {"SHOP_PASSWORD": "secret", "FOOTFALL_SERVER__TOKEN": "a-token-of-one's-own\n"}
    secrets = deploying.mount(tmp_path / "secrets", secret)
    variables["FOOTFALL_SECRETS_DIR"] = str(secrets)
    done = await checked(tmp_path / "home", config, journeys, **variables)
    assert done.code == 0, done.err
    assert done.out.count("look_around.py") == 1


def test_the_pod_mounts_what_the_image_needs():
    """Each mount has its volume and each volume a mount, at the paths that the image names;
    only state and temporary files can be written."""
    (container,) = pod()["containers"]
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    assert sorted(mount["name"] for mount in mounts.values()) == sorted(volumes)
    assert {"/etc/footfall", "/run/secrets"} < set(mounts)
    for name, path in (("FOOTFALL_JOURNEYS", "/journeys"), ("FOOTFALL_STATE", STATE)):
        assert path in mounts
        assert f"{name}={path}" in DOCKERFILE
    writable = {path for path, mount in mounts.items() if not mount.get("readOnly")}
    assert writable - WRITTEN_TO == {"/dev/shm"}
    (claim,) = manifests()["PersistentVolumeClaim"]
    claimed = volumes[mounts[STATE]["name"]]["persistentVolumeClaim"]["claimName"]
    assert claimed == claim["metadata"]["name"]


def test_the_pod_is_confined():
    """It passes the strictest of the pod security standards, which its namespace enforces, as
    the image's own user, and no link to a Service can turn up as an unknown key."""
    (namespace,) = manifests()["Namespace"]
    assert "restricted" in namespace["metadata"]["labels"].values()
    security = pod()["securityContext"]
    (user,) = re.findall(r"^USER (\d+):", DOCKERFILE, re.MULTILINE)
    assert security["runAsNonRoot"]
    assert {security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {int(user)}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod()["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["enableServiceLinks"] is False
    assert pod()["automountServiceAccountToken"] is False


def reached(policy: dict[str, Any], address: str, port: int) -> bool:
    """Whether the agent may connect to an address outside the cluster."""
    for rule in policy["spec"]["egress"]:
        for peer in rule.get("to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]):
            block = peer.get("ipBlock")
            if block is None or port not in {one["port"] for one in rule["ports"]}:
                continue
            outside = ip_address(address)
            if outside in ip_network(block["cidr"]) and not any(
                outside in ip_network(other) for other in block.get("except", [])
            ):
                return True
    return False


def test_the_network_is_as_narrow_as_the_agent_lets_it_be():
    """It is the pod's, and nobody's who asks it something; what it sends to, its collector and its
    sites can be reached, and never what hands out the cloud's credentials."""
    (policy,) = manifests()["NetworkPolicy"]
    (deployment,) = manifests()["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert sorted(policy["spec"]["policyTypes"]) == ["Egress", "Ingress"]
    assert policy["spec"]["ingress"] == []
    settings = load(DEPLOY / "kubernetes" / "footfall.toml", {})
    collector = urlsplit(settings.telemetry.endpoint).port
    inside = [
        {one["port"] for one in rule["ports"]}
        for rule in policy["spec"]["egress"]
        if {"namespaceSelector": {}} in rule.get("to", [])
    ]
    assert any(collector in ports for ports in inside)
    for site in settings.sites.values():
        assert reached(policy, "203.0.113.9", urlsplit(site.url).port or 443)
    assert reached(policy, "2001:db8::9", 443)
    assert reached(policy, "169.254.20.10", 53)
    for address in ("169.254.169.254", "fd00:ec2::254"):
        assert not reached(policy, address, 80)
    assert not reached(policy, "203.0.113.9", 22)


def test_there_is_one_pod_that_may_drain():
    """Never two agents on one state folder; longer to stop than the drain takes; probes ask the
    routes that there are; and memory is enough for all workers."""
    (deployment,) = manifests()["Deployment"]
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert pod()["terminationGracePeriodSeconds"] > drain._DRAIN + 20
    (container,) = pod()["containers"]
    routes = {route.path for route in health_routes(lambda: None, lambda: None)}
    for probe, path in (
        ("startupProbe", "/healthz"),
        ("livenessProbe", "/healthz"),
        ("readinessProbe", "/readyz"),
    ):
        assert container[probe]["httpGet"] == {"path": path, "port": "http"}
        assert path in routes
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert "FOOTFALL_SERVER__PORT=8080" in DOCKERFILE
    settings = load(DEPLOY / "kubernetes" / "footfall.toml", {})
    resources = container["resources"]
    needed = settings.workers.count * settings.workers.max_memory
    shm = next(v["emptyDir"] for v in pod()["volumes"] if v["name"] == "shm")
    assert size(resources["limits"]["memory"]) >= needed + size(shm["sizeLimit"]) + 2**28
    assert "cpu" not in resources["limits"]


def test_requests_fit_the_measured_sizes():
    """What the pod asks for is no less than what the table of sizes measured for two workers."""
    rows = {row[0]: row[1] for row in Docs().table("what", "figure")}
    supervisor = int(re.match(r"(\d+) MiB", rows["memory of the supervisor"])[1])
    worker = int(
        re.match(r"(\d+) MiB", rows["memory of a worker with its driver and browser, in a run"])[1]
    )
    settings = load(DEPLOY / "kubernetes" / "footfall.toml", {})
    (container,) = pod()["containers"]
    asked = size(container["resources"]["requests"]["memory"]) / 2**20
    assert asked >= supervisor + settings.workers.count * worker
