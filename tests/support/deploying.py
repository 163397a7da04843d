"""What reads the files of `deploy/` in earnest: Debian's programs, unpacked and not installed."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.alerting import ALERTMANAGER
from tests.support.daemon import Finished, Home
from tests.support.service import CACHE, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RELEASE = "trixie"
COMPOSE = CACHE / "docker-compose" / "usr/libexec/docker/cli-plugins/docker-compose"
KUBECTL = CACHE / "kubectl" / "usr/bin/kubectl"
PROGRAMS = {"docker-compose": COMPOSE, "kubectl": KUBECTL}
"""Programs by their Debian package, which is unpacked into a folder of its name."""

AMTOOL = ALERTMANAGER.with_name("amtool")
VICTORIA = CACHE / "victoria-metrics" / "usr" / "bin"

DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
STATE = "/var/lib/footfall"
WRITTEN_TO = {"/tmp", STATE}
"""All that a container of the agent writes to."""


def run(*command: str | Path, **variables: str) -> str:
    """Run a program in `deploy/`, with more variables where they are given; return what it printed.

    Raises:
        AssertionError: it failed; says what it printed.

    """
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=DEPLOY,
        env=os.environ | variables,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def compose(profile: str = "") -> dict[str, Any]:
    """The services and volumes as Compose understands them, with those of a profile."""
    asked = (COMPOSE, "-f", "compose.yaml", "config", "--format", "json")
    return json.loads(run(*asked, COMPOSE_PROFILES=profile))


def manifests(folder: str = "kubernetes") -> list[dict[str, Any]]:
    """What Kubernetes would be given of a folder of `deploy/`."""
    return list(yaml.safe_load_all(run(KUBECTL, "kustomize", folder)))


def mount(folder: Path, data: Mapping[str, str]) -> Path:
    """Lay out a ConfigMap as the kubelet does: names are links into a dated folder."""
    dated = folder / "..2026_01_01_00_00_00.1"
    dated.mkdir(parents=True)
    (folder / "..data").symlink_to(dated.name)
    for name, text in data.items():
        (dated / name).write_text(text, "utf-8")
        (folder / name).symlink_to(f"..data/{name}")
    return folder


async def checked(folder: Path, config: Path, journeys: Path, **variables: str) -> Finished:
    """What `footfall check` says where the image's own variables are set."""
    home = Home(folder, {})
    home.environment = {
        "FOOTFALL_JOURNEYS": str(journeys),
        "FOOTFALL_STATE": str(folder / "var"),
        "FOOTFALL_SERVER__PORT": "8080",
        **variables,
    }
    return await home.footfall("check", "--config", str(config))
