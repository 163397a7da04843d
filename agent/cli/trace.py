"""``footfall trace``: a run's trace, in Playwright's viewer on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.console import Console

from agent.cli.display import has_display
from agent.cli.shown import escape
from agent.core.errors import ConfigError, Problem
from agent.core.results import Result
from agent.core.run_document import traces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.cli.running_agent import Agent

_ELSEWHERE = (
    "copy it to a machine that has one and open it there with `npx playwright show-trace "
    "{name}`, or drop it onto https://trace.playwright.dev, which reads it in the browser and "
    "sends it nowhere"
)


async def trace(agent: Agent, run_id: str, environ: Mapping[str, str]) -> None:
    """Fetch a run's trace and show it; where nothing can be shown, say where it lies.

    Raises:
        AgentUnreachable: no agent answers.
        ConfigError: there is no such run, or no trace of it.

    """
    (told,) = await agent.get(f"/api/v1/runs/{quote(run_id, safe='')}")
    if told["state"] != "ended":
        raise ConfigError([Problem(run_id, f"there is no trace: the run is {told['state']}")])
    run = told["run"]
    found = traces(run)
    if not found:
        raise ConfigError([Problem(run_id, _why_none(run))])
    # Its user's alone, as it is where it comes from: it shows what customers see.
    folder = Path(tempfile.mkdtemp(prefix="footfall-trace-"))
    file = folder / f"{run['journey']}-{run['run_id'][:8]}.zip"
    shown = False
    try:
        if not await agent.fetch(told["links"][found[0]], file):
            gone = "its trace is gone, by artifacts.max_age or artifacts.max_bytes"
            raise ConfigError([Problem(run_id, gone)])
        console = Console(highlight=False, soft_wrap=True)
        if not has_display(environ):
            console.print(f"No display is here to show it. The trace lies in {escape(str(file))}:")
            console.print(escape(_ELSEWHERE.format(name=file.name)))
            return
        console.print(f"[dim]{escape(run['journey'])}, run {escape(run['run_id'])}[/dim]")
        shown = _view(file)
        if not shown:
            console.print(f"The viewer did not start. The trace lies in {escape(str(file))}:")
            console.print(escape(_ELSEWHERE.format(name=file.name)))
    finally:
        if shown or not file.exists():
            shutil.rmtree(folder, ignore_errors=True)


def _why_none(run: Mapping[str, Any]) -> str:
    if run["result"] == Result.PASS:
        return (
            "there is no trace: a run that passed keeps one only with artifacts.keep and "
            'artifacts.trace = "all"'
        )
    return (
        "there is no trace: see artifacts.keep and artifacts.trace. What fails is recorded when "
        "it is walked again, and a walk that was killed leaves none"
    )


def _view(file: Path) -> bool:
    """Have Playwright's viewer show a trace until it is closed; return whether it did."""
    command = [sys.executable, "-m", "playwright", "show-trace", str(file)]
    return subprocess.run(command, env=os.environ, check=False).returncode == 0  # noqa: S603 - ours
