"""``footfall demo``: a small shop, the agent walking it, and a breakage from start to end.

The shop and the daemon are processes of their own, as in production; this one reads the
daemon's log and tells the story.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from agent.browsers.find import require_browser
from agent.cli.demo_story import DemoStory
from agent.cli.keys import make as make_key
from agent.cli.running_agent import address_of, find
from agent.cli.shown import escape
from agent.config import load
from agent.config.variables import PREFIX
from agent.core.first_of import first_of
from agent.server.serving import listen, port_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_PASSWORD = "demo-password"  # noqa: S105 - the demo shop's own, known to everybody
_STOP_TIMEOUT = 30.0
_OPEN = (f"{PREFIX}SERVER__", f"{PREFIX}BROWSER__")
"""Variables that may change the demo: where the agent listens, and its browser."""

_SCRIPT = """\
#!/bin/sh
# Deploys the demo shop as a pipeline does it: gated, and rolled back by itself.
exec {command} "$@"
"""
_CONFIG = """\
location = "demo"
environment = "demo"
journeys = {journeys}
state = {state}

[sites.shop]
url = {shop}
first_party = [{shop}]

[sites.shop.release]
header = "X-Version"

[sites.shop.gate]

[schedule]
confirm_after = "500ms"

[workers]
count = 2

[identity]
info_url = {info}
signing_key = {key}

[server]
port = {port}
public_port = {public}

[journey.order_history]
public = "See my orders"

[journey.search_the_catalogue]
public = "Find a product"

[journey.buy_a_mug]
public = "Buy a product"
every = "8s"
timeout = "5s"
grace = "2s"
"""


async def demo(environ: Mapping[str, str]) -> int:
    """Run until Ctrl-C; return the exit code."""
    environ = _own(environ)
    require_browser()
    console = Console(highlight=False, soft_wrap=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="footfall-demo-")))
        made = make_key(state / "keys", 1, time.time())
        shop = await stack.enter_async_context(_shop(environ, made.directory))
        with listen("127.0.0.1", 0) as probe, listen("127.0.0.1", 0) as other:
            port, public = port_of(probe), port_of(other)
        file = state / "config.toml"
        file.write_text(
            _CONFIG.format(
                journeys=json.dumps(str(_journeys())),
                state=json.dumps(str(state / "var")),
                shop=json.dumps(shop["shop"]),
                port=port,
                public=public,
                info=json.dumps(f"{shop['shop']}/demo"),
                key=json.dumps(str(made.key)),
            )
        )
        address = find(file, environ, "").url
        pipeline = (
            *("-m", "agent.demo.pipeline", "--shop", shop["shop"], "--agent", address),
            *("--config", str(file), "--token-file", str(state / "var" / "token")),
        )
        script = state / "deploy"
        script.write_text(_SCRIPT.format(command=shlex.join((sys.executable, *pipeline))))

        async def deploy(release: str) -> int:
            async with _process(
                *pipeline, release, "buy_a_mug", environ=environ, stdout=True
            ) as it:
                return await _shown(console, it)

        daemon = await stack.enter_async_context(_daemon(file, environ))
        _introduce(console, shop, address, _public(file, environ), state)
        artifacts = state / "var" / "artifacts"
        story = DemoStory(console, shop["shop"], address, artifacts, deploy, script)
        telling = asyncio.create_task(_tell(daemon, story))
        await first_of(telling, stopped.wait())
        if not telling.done():
            console.print("\nStopping: runs under way may end, then everything is gone.")
            telling.cancel()
        tasks = [one for one in (telling, story.deploying) if one is not None]
        if story.deploying is not None:
            story.deploying.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return 0 if stopped.is_set() else 1


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what is meant for another agent: an image sets it, and its user's shell may."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(PREFIX) or name.upper().startswith(_OPEN)
    }


def _journeys() -> Path:
    """Return the folder of the demo's journeys, which a wheel has beside the shop."""
    package = Path(__file__).parents[1]
    installed = package / "demo" / "journeys"
    return installed if installed.is_dir() else package.parent / "journeys"


def _public(file: Path, environ: Mapping[str, str]) -> str:
    """Return the address of the public page."""
    server = load(file, environ).server
    return address_of(server.public_host, server.public_port)


def _introduce(
    console: Console, shop: dict[str, str], agent: str, public: str, state: Path
) -> None:
    address = shop["shop"]
    console.print("[bold]Footfall demo[/bold]: a small shop, and the agent walking it.\n")
    console.print(f"  pages       {agent}          (the journeys, as the agent sees them)")
    console.print(f"  shop        {address}")
    console.print(
        f"  control     {address}/demo          (break the shop by hand, deploy a release)"
    )
    console.print(f"  analytics   {shop['analytics']}          (what its beacons reported)")
    console.print(f"  books       {address}/demo/books    (revenue, of people alone)")
    console.print(f"  public page {public}/          (what everybody may see of it)")
    console.print(f"  health      {agent}/readyz")
    console.print(f"  status      footfall status --url {agent}")
    console.print(f"  evidence    {state / 'var' / 'artifacts'}   (gone when the demo ends)\n")
    console.print("[dim]The first browsers are starting. Ctrl-C ends the demo.[/dim]\n")


async def _tell(daemon: asyncio.subprocess.Process, story: DemoStory) -> None:
    output = daemon.stderr
    assert output is not None  # noqa: S101 - it was asked for as a pipe
    while line := await output.readline():
        try:
            record = json.loads(line)
        except ValueError:
            sys.stderr.buffer.write(line)
            continue
        if record.get("event") == "run.finished":
            await story.finished(record)
        elif record.get("level") in {"error", "critical"}:
            sys.stderr.buffer.write(line)


async def _shown(console: Console, process: asyncio.subprocess.Process) -> int:
    """Print what a process prints, further in; return what it exits with."""
    output = process.stdout
    assert output is not None  # noqa: S101 - it was asked for as a pipe
    while line := await output.readline():
        console.print(f"      {escape(line.decode(errors='replace').rstrip())}")
    return await process.wait()


@asynccontextmanager
async def _shop(environ: Mapping[str, str], directory: Path) -> AsyncIterator[dict[str, str]]:
    command = ("-m", "agent.demo", "--keys", str(directory))
    async with _process(*command, environ=environ, stdout=True) as process:
        output = process.stdout
        assert output is not None  # noqa: S101 - it was asked for as a pipe
        yield json.loads(await output.readline())


@asynccontextmanager
async def _daemon(
    file: Path, environ: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    secrets = {"FOOTFALL_SECRET_DEMO_PASSWORD": _PASSWORD}
    # Nobody collects in a demo, unless the environment says who.
    sent = any(name.startswith("OTEL_EXPORTER_OTLP_") for name in environ)
    quiet = {} if sent else {"OTEL_SDK_DISABLED": "true"}
    command = ("-m", "agent", "run", "--config", str(file))
    async with _process(*command, environ={**environ, **secrets, **quiet}) as process:
        yield process


@asynccontextmanager
async def _process(
    *arguments: str, environ: Mapping[str, str], stdout: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one of our own modules while the block lasts; it is asked to end, then made to."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if stdout else None,
        stderr=None if stdout else asyncio.subprocess.PIPE,
        env=dict(environ),
        start_new_session=True,  # Ctrl-C is ours to pass on
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.communicate(), _STOP_TIMEOUT)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
