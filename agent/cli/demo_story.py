"""The story that the demo tells: a shop that breaks, an agent that notices, a shop mended."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import TYPE_CHECKING, Any

from agent.cli.shown import escape

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

_JOURNEY = "buy_a_mug"
_BOUGHT = {"pass", "flaky"}
"""Results that say the shop works, on a slow machine too."""
_COLOURS = {"pass": "green", "flaky": "yellow", "fail": "red", "not_measured": "magenta"}


class DemoStory:
    """Prints each run, and breaks and mends the shop once, so that there is something to see."""

    def __init__(self, console: Console, shop: str, agent: str, artifacts: Path) -> None:
        self._console = console
        self._shop = shop
        self._agent = agent
        self._artifacts = artifacts
        self._act = "healthy"

    async def finished(self, run: dict[str, Any]) -> None:
        """Tell of one run, and go on with the story where it was about the right journey."""
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
