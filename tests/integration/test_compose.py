"""`deploy/compose.yaml` and what it mounts, read by the programs that it is for."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from agent.config import load
from agent.daemon import drain
from agent.demo.shop import PASSWORD
from tests.support import deploying
from tests.support.alerting import ALERTMANAGER, VMALERT, Alertmanager, Vmalert
from tests.support.deploying import DEPLOY, DOCKERFILE, VICTORIA, WRITTEN_TO, checked, run
from tests.support.grafana import FILES
from tests.support.service import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

UIDS = {json.loads(path.read_text("utf-8"))["uid"] for path in FILES}


@cache
def services() -> dict[str, dict[str, Any]]:
    return deploying.compose()["services"]


def test_every_file_that_is_mounted_is_there():
    """No bind mount names a file that is not in the repository: Docker would make an empty
    folder of that name and the service would not start. None but the agent's state is open
    to writing."""
    mounts = [m for service in services().values() for m in service.get("volumes", [])]
    bound = [mount for mount in mounts if mount["type"] == "bind"]
    assert bound
    for mount in bound:
        assert Path(mount["source"]).exists(), mount
        assert Path(mount["source"]).is_relative_to(ROOT)
        assert mount["read_only"]


def test_images_are_pinned():
    """Each image has the version it was tried with, and by its digest where that is known; the
    agent's own is that of the project. What builds them is pinned likewise."""
    digest = r"@sha256:[0-9a-f]{64}"
    assert re.search(rf"^ARG BASE=python:[\d.]+-slim-bookworm{digest}$", DOCKERFILE, re.MULTILINE)
    steps = re.findall(r"uses: (.*)", (ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    assert steps
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", step) for step in steps)
    for name, service in services().items():
        image, _, tag = re.sub(f"{digest}$", "", service["image"]).rpartition(":")
        assert re.search(r"\d+\.\d+\.\d+$", tag), name
        if image == "footfall":
            assert f'\nversion = "{tag}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")
    # That of the programs that the suite runs.
    (changes,) = (CACHE / "victoria-metrics").glob("usr/share/doc/*/changelog.Debian.gz")
    version = gzip.decompress(changes.read_bytes()).decode().split()[1].lstrip("(")
    for name in ("victoriametrics", "vmalert"):
        assert version.startswith(services()[name]["image"].partition(":v")[2])


def test_services_find_each_other():
    """Whatever address a service is given, in its command or in a mounted file, is that of a
    service, on a port that it says it listens on."""
    ports = {name: set(service.get("expose", [])) for name, service in services().items()}
    texts = [DEPLOY / name for name in ("footfall.toml", "collector.yaml")]
    texts += sorted((DEPLOY / "grafana" / "provisioning").rglob("*.yaml"))
    given = [path.read_text("utf-8") for path in texts]
    given += [" ".join(service.get("command") or []) for service in services().values()]
    found = re.findall(r"http://([a-z]+):(\d+)", "\n".join(given))
    assert {name for name, _ in found} == {
        "alertmanager",
        "collector",
        "jaeger",
        "loki",
        "shop",
        "victoriametrics",
    }
    for name, port in found:
        assert port in ports[name], (name, port)
    for name, service in services().items():
        for published in service.get("ports", []):
            assert str(published["target"]) in ports[name]
            assert published["host_ip"] == "127.0.0.1", name


async def test_the_composed_agent_has_a_sound_configuration(tmp_path):
    """The loader takes the mounted configuration, and every journey that is mounted is on the
    schedule, for the shop that is served."""
    mounted = {mount["target"]: mount["source"] for mount in services()["agent"]["volumes"]}
    config = Path(mounted["/etc/footfall/config.toml"])
    variables = {name: value or "" for name, value in services()["agent"]["environment"].items()}
    done = await checked(tmp_path, config, Path(mounted["/journeys"]), **variables)
    assert done.code == 0, done.err
    server = load(config, variables).server
    exposed = services()["agent"]["expose"]
    assert exposed == ["8080", str(server.public_port)]
    assert load(config, {}).sites["shop"].url == "http://shop:8000"


def test_the_composed_agent_has_the_secrets_of_its_journeys():
    """Each secret that a mounted journey asks for is mounted; it is the one that the demo shop
    has published."""
    mounted = {m["target"]: Path(m["source"]) for m in services()["agent"]["volumes"]}
    asked = {
        name
        for path in mounted["/journeys"].glob("*.py")
        for name in re.findall(r'run\.secret\("(\w+)"\)', path.read_text("utf-8"))
    }
    secrets = {path.name: path.read_text() for path in mounted["/run/secrets"].iterdir()}
    assert secrets == dict.fromkeys(asked, f"{PASSWORD}\n")


def test_the_composed_agent_is_confined_and_may_drain():
    """Nothing but state and temporary files can be written; it gets longer than its drain."""
    agent = services()["agent"]
    assert agent["read_only"]
    assert agent["cap_drop"] == ["ALL"]
    volumes = {m["target"] for m in agent["volumes"] if m["type"] == "volume"}
    assert volumes | set(agent["tmpfs"]) == WRITTEN_TO
    minutes, seconds = re.fullmatch(r"(\d+)m(\d+)s", agent["stop_grace_period"]).groups()
    assert int(minutes) * 60 + int(seconds) > drain._DRAIN + 20
    settings = load(DEPLOY / "footfall.toml", {})
    workers = settings.workers.count * settings.workers.max_memory
    assert int(agent["mem_limit"]) >= workers + int(agent["shm_size"]) + 2**28
    assert "start_period" in agent["healthcheck"]
    assert "HEALTHCHECK" in DOCKERFILE


def test_programs_take_the_options_that_they_are_given(tmp_path):
    """Each program that can be had here knows every option of its service."""
    options = {name: service.get("command") or [] for name, service in services().items()}
    run(VICTORIA / "victoria-metrics", *options["victoriametrics"], "-version")
    with pytest.raises(AssertionError, match="not defined: -nonsense"):
        run(VICTORIA / "victoria-metrics", "-nonsense", "-version")
    run(ALERTMANAGER, *options["alertmanager"], "--version")
    ruled = [
        option.replace("/etc/rules.yaml", str(DEPLOY / "rules.yaml"))
        for option in options["vmalert"]
    ]
    run(VICTORIA / "vmalert", *ruled, "-dryRun")


class Composed(Vmalert):
    """vmalert as it is composed, but for addresses, and for who evaluates how often."""

    def command(self) -> Sequence[str]:
        here = {
            "-rule": "rules.yaml",
            "-datasource.url": self._store,
            "-remoteWrite.url": self._store,
            "-remoteRead.url": self._store,
            "-notifier.url": self._alertmanager,
        }
        given = dict(option.split("=", 1) for option in services()["vmalert"]["command"])
        listens = f"-httpListenAddr=127.0.0.1:{self._port}"
        return [str(VMALERT), listens, *(f"{k}={v}" for k, v in {**given, **here}.items())]


async def test_an_alert_leads_to_its_dashboard(victoria):
    """From the store over the rules to Alertmanager: what fires links to the dashboard of its
    journey, and to the fleet's where it has none."""
    rules = (DEPLOY / "rules.yaml").read_text("utf-8").replace("interval: 15s", "interval: 1s")
    labels = 'journey="buy_a_mug",site="shop",location="eu-west-1"'
    await victoria.push(
        f"footfall_journey_consecutive_failures{{{labels}}} 2",
        f"footfall_journey_last_run_seconds{{{labels}}} 1",
    )
    links: dict[str, str] = {}
    async with (
        Alertmanager((DEPLOY / "alertmanager.yaml").read_text("utf-8")) as manager,
        Composed(rules, victoria.url, manager.url),
        asyncio.timeout(90),
    ):
        while not {"JourneyDown", "Watchdog"} <= set(links):
            await asyncio.sleep(0.1)
            links = {a["labels"]["alertname"]: a["generatorURL"] for a in await manager.alerts()}
    grafana = "http://127.0.0.1:3000/d/"
    assert links["JourneyDown"] == f"{grafana}footfall-journey?var-journey=buy_a_mug"
    assert links["Watchdog"] == f"{grafana}footfall-fleet"
    for link in links.values():
        assert link.removeprefix(grafana).partition("?")[0] in UIDS


def test_the_collector_uses_what_it_defines():
    """Each part of a pipeline is defined, each definition is used, and all three signals have
    a way out."""
    for name in ("collector.yaml", "otel-collector.yaml"):
        document = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
        pipelines = document["service"]["pipelines"]
        for kind in ("receivers", "processors", "exporters"):
            used = {part for pipeline in pipelines.values() for part in pipeline[kind]}
            assert used == set(document[kind]), (name, kind)
        assert {signal.partition("/")[0] for signal in pipelines} == {"metrics", "traces", "logs"}


def test_nobody_has_a_password_that_everybody_knows():
    """Grafana makes no account by itself, and whoever looks can change nothing."""
    given = services()["grafana"]["environment"]
    assert given["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert given["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert not {name for name in given if "PASSWORD" in name}


def test_grafana_finds_its_dashboards():
    """What is provisioned lies where Grafana looks for it, the dashboards where they are mounted,
    and what refers to a data source refers to one of these."""
    volumes = services()["grafana"]["volumes"]
    mounted = {m["target"]: Path(m["source"]) for m in volumes if m["type"] == "bind"}
    etc = "/etc/grafana/provisioning"
    (file,) = mounted[f"{etc}/dashboards"].iterdir()
    (provider,) = yaml.safe_load(file.read_text("utf-8"))["providers"]
    assert sorted(mounted[provider["options"]["path"]].iterdir()) == FILES
    (file,) = mounted[f"{etc}/datasources"].iterdir()
    sources = yaml.safe_load(file.read_text("utf-8"))["datasources"]
    used = set(re.findall(r"datasourceUid: (\w+)", file.read_text("utf-8")))
    assert used <= {source["uid"] for source in sources}
    assert "prometheus" in {source["type"] for source in sources}
    home = Path(services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (mounted[str(home.parent)] / home.name).exists()
