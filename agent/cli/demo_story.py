"""The story that the demo tells: a shop that breaks, and releases of it that are judged."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import TYPE_CHECKING, Any

from agent.cli.shown import escape
from agent.demo.rollout import BAD, GOOD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from rich.console import Console

_JOURNEY = "buy_a_mug"
_GATE = "gate"
"""What walks for a verdict are triggered by."""
_NEVER = "1.4.4"
"""A release that never arrives."""
_BOUGHT = {"pass", "flaky"}
"""Results that say the shop works, on a slow machine too."""
_COLOURS = {"pass": "green", "flaky": "yellow", "fail": "red", "not_measured": "magenta"}


class DemoStory:
    """Prints each run, and breaks and mends the shop once, so that there is something to see.

    Then releases go out, a good one and a bad one: ``deploy`` puts one out, gated, and prints what
    became of it; ``script`` does the same from a shell.
    """

    def __init__(
        self,
        console: Console,
        shop: str,
        agent: str,
        artifacts: Path,
        deploy: Callable[[str], Awaitable[int]],
        script: Path,
    ) -> None:
        self._console = console
        self._shop = shop
        self._agent = agent
        self._artifacts = artifacts
        self._deploy = deploy
        self._script = script
        self._act = "healthy"
        self.deploying: asyncio.Task[None] | None = None
        """Once releases go out."""

    async def finished(self, run: dict[str, Any]) -> None:
        """Tell of one run, and go on with the story where it was about the right journey."""
        if run["trigger"] == _GATE:
            return  # the pipeline tells of those
        self._print(run)
        if run["journey"] != _JOURNEY:
            return
        await self._tell_books()
        result = run["result"]
        if self._act == "healthy" and result in _BOUGHT:
            self._act = "broken"
            await self._break("error")
            self._say("Now checkout is broken (error 500). Watch the next purchase:")
        elif self._act == "broken" and result == "fail":
            self._act = "mended"
            self._say("Detected, and confirmed in a fresh worker. Its page, and the evidence:")
            self._console.print(f"      {self._agent}/runs/{run['run_id']}")
            for path in sorted(self._artifacts.glob(f"{_JOURNEY}/*/*/*")):
                self._console.print(f"      {path}")
            await self._break("none")
            self._say("Checkout is mended. Watch it recover:")
        elif self._act == "mended" and result in _BOUGHT:
            self._act = "deploying"
            self._say(
                "Recovered. Now a release goes out, and the agent is asked whether it is good:"
            )
            self.deploying = asyncio.create_task(self._release(), name="deploys")

    async def _release(self) -> None:
        await self._deploy(GOOD)
        self._say("And a bad one, whose checkout is broken. Nobody watches:")
        await self._deploy(BAD)
        self._act = "over"
        self._say("The agent goes on. Deploy a release yourself, a bad one, or one that hangs:")
        for given in (GOOD, BAD, f"{_NEVER} --stuck --within 10s"):
            self._console.print(f"      sh {self._script} {given}")
        self._say("Or break something:")
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
