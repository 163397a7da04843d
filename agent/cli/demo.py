"""``footfall demo``: a small shop, the agent walking it, and a breakage from start to end.

The shop and the daemon are processes of their own, as in production; this one reads the
daemon's log and tells the story.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from agent.browsers.find import require_browser
from agent.cli.keys import make as make_key
from agent.cli.shown import escape
from agent.core.errors import ConfigError, Problem
from agent.server.serving import listen, port_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_PASSWORD = "demo-password"  # noqa: S105 - the demo shop's own, known to everybody
_JOURNEY = "buy_a_mug"
_COLOURS = {"pass": "green", "flaky": "yellow", "fail": "red", "not_measured": "magenta"}
_STOP_TIMEOUT = 30.0

_CONFIG = """\
location = "demo"
environment = "demo"
journeys = {journeys}
state = {state}

[sites.shop]
url = {shop}
first_party = [{shop}]

[schedule]
confirm_after = "500ms"

[workers]
count = 2

[identity]
info_url = {info}
signing_key = {key}

[server]
port = {port}

[journey.buy_a_mug]
every = "6s"
timeout = "3s"
grace = "2s"
"""


async def demo(environ: Mapping[str, str]) -> int:
    """Run until Ctrl-C; return the exit code."""
    journeys = _journeys()
    require_browser()
    console = Console(highlight=False, soft_wrap=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="footfall-demo-")))
        made = make_key(state / "keys", 1, time.time())
        shop = await stack.enter_async_context(_shop(environ, made.directory))
        with listen("127.0.0.1", 0) as probe:
            port = port_of(probe)
        file = state / "config.toml"
        file.write_text(
            _CONFIG.format(
                journeys=json.dumps(str(journeys)),
                state=json.dumps(str(state / "var")),
                shop=json.dumps(shop["shop"]),
                port=port,
                info=json.dumps(f"{shop['shop']}/demo"),
                key=json.dumps(str(made.key)),
            )
        )
        daemon = await stack.enter_async_context(_daemon(file, environ))
        _introduce(console, shop, port, state)
        story = _Story(console, shop["shop"], state / "var" / "artifacts")
        telling = asyncio.create_task(_tell(daemon, story))
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({telling, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            console.print("\nStopping: runs under way may end, then everything is gone.")
            telling.cancel()
        waiting.cancel()
        await asyncio.gather(telling, waiting, return_exceptions=True)
        return 0 if stopped.is_set() else 1


def _journeys() -> Path:
    journeys = Path("journeys").absolute()
    if not journeys.is_dir():
        message = "the demo walks the journeys of a checkout; run it there"
        raise ConfigError([Problem(str(journeys), message)])
    return journeys


def _introduce(console: Console, shop: dict[str, str], port: int, state: Path) -> None:
    address = shop["shop"]
    console.print("[bold]Footfall demo[/bold]: a small shop, and the agent walking it.\n")
    console.print(f"  shop        {address}")
    console.print(f"  control     {address}/demo          (break the shop by hand)")
    console.print(f"  analytics   {shop['analytics']}          (what its beacons reported)")
    console.print(f"  books       {address}/demo/books    (revenue, of people alone)")
    console.print(f"  health      http://127.0.0.1:{port}/readyz")
    console.print(f"  status      footfall status --url http://127.0.0.1:{port}")
    console.print(f"  evidence    {state / 'var' / 'artifacts'}   (gone when the demo ends)\n")
    console.print("[dim]The first browsers are starting. Ctrl-C ends the demo.[/dim]\n")


class _Story:
    """Prints each run, and breaks and mends the shop once, so that there is something to see."""

    def __init__(self, console: Console, shop: str, artifacts: Path) -> None:
        self._console = console
        self._shop = shop
        self._artifacts = artifacts
        self._act = "healthy"

    async def finished(self, run: dict[str, Any]) -> None:
        """Tell of one run, and go on with the story where it was about the right journey."""
        self._print(run)
        if run["journey"] != _JOURNEY:
            return
        await self._tell_books()
        result = run["result"]
        if self._act == "healthy" and result == "pass":
            self._act = "broken"
            await self._break("error")
            self._say("Now checkout is broken (error 500). Watch the next purchase:")
        elif self._act == "broken" and result == "fail":
            self._act = "mended"
            self._say("Detected, and confirmed in a fresh worker. The evidence:")
            for path in sorted(self._artifacts.glob(f"{_JOURNEY}/*/*/*")):
                self._console.print(f"      {path}")
            await self._break("none")
            self._say("Checkout is mended. Watch it recover:")
        elif self._act == "mended" and result == "pass":
            self._act = "over"
            self._say("Recovered. The agent goes on; break something yourself:")
            for mode in ("error", "slow", "script", "none"):
                self._console.print(f"      curl -X POST {self._shop}/demo/break/{mode}")
            self._console.print()

    def _print(self, run: dict[str, Any]) -> None:
        colour = _COLOURS.get(run["result"], "white")
        why = ""
        if run["error_type"]:
            why = f"  {run['error_type']}: {(run['error'] or '')[:100]}"
        attempts = f" ({run['attempts']} attempts)" if run["attempts"] > 1 else ""
        self._console.print(
            f"  [dim]{run['timestamp'][11:19]}[/dim]  {run['journey']:<24}"
            f"[{colour}]{run['result']:<12}[/{colour}] {run['duration']:5.2f} s"
            f"{attempts}{escape(why)}"
        )

    async def _tell_books(self) -> None:
        """Show that the shop counts what people buy: the agent signs what it sends."""
        books = await asyncio.to_thread(_ask, f"{self._shop}/demo/books")
        self._console.print(
            f"            [dim]revenue of people {books['revenue_cents'] / 100:.2f} € "
            f"({_several(books['orders'], 'order')}), "
            f"beside {_several(books['synthetic_orders'], 'synthetic order')}[/dim]"
        )

    def _say(self, line: str) -> None:
        self._console.print(f"\n  [bold]{line}[/bold]\n")

    async def _break(self, mode: str) -> None:
        await asyncio.to_thread(_ask, f"{self._shop}/demo/break/{mode}", "POST")


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _ask(url: str, method: str = "GET") -> dict[str, Any]:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return dict(json.load(answer))


async def _tell(daemon: asyncio.subprocess.Process, story: _Story) -> None:
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
