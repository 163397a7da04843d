"""The agent's own network gone, in each way it can tell: never the target's failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.faults.books import ALL, Outcome, Row, Rows, row_of, together, until_tried
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.service import free_port

if TYPE_CHECKING:
    import re
    from pathlib import Path
    from random import Random

_OPEN = 'await run.page.goto("/")\n'
_EVERY = 6
_SITES = {"one": "http://one.invalid", "two": "http://two.invalid"}
_OURS: Outcome = ("not_measured", "agent_network")
_THEIRS: Outcome = ("fail", "navigation")


async def run(folder: Path, tries: int, _: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Two sites whose names resolve to nothing, with and without a reference."""
    async with Origin(pages={"/": "there"}) as origin:
        gone = f"http://127.0.0.1:{free_port()}/"
        ways: dict[str, tuple[dict[str, Any], set[Outcome]]] = {
            "no name resolves, reference gone too": ({"reference": [gone]}, {_OURS}),
            "no name resolves, reference answers": ({"reference": [origin.url]}, {_THEIRS}),
            # The first to fail has no other beside it yet.
            "no name resolves, no reference": ({}, {_OURS, _THEIRS}),
        }
        for number, (what, (canary, intended)) in enumerate(ways.items()):
            if only.search(what):
                walked = _walk(folder / str(number), what, canary, intended, tries)
                async for row in together(walked):
                    yield row


async def _walk(
    folder: Path, what: str, canary: dict[str, Any], intended: set[Outcome], tries: int
) -> list[Row]:
    home = Home(folder, _SITES)
    for site in _SITES:
        home.journey(f"on_{site}", _OPEN, f'site="{site}", owner="tests"')
    home.configure(schedule={"every": f"{_EVERY}s", "timeout": "2s", "grace": "1s"}, canary=canary)
    async with Daemon(home) as daemon:
        await daemon.started()
        # One more than the tries, since the first to fail may have no other beside it yet.
        journeys = [f"on_{site}" for site in _SITES]
        await until_tried(home, journeys, tries + 1, 2 * _EVERY * (tries + 2))
        code = await daemon.terminate()
    rows = [row_of(home, what, f"on_{site}", tries, intended) for site in _SITES]
    for row in rows:
        row.hold(code == 0, f"the agent ended with {code}")
    if not canary:
        last = [run["error_type"] for run in home.runs()][-2:]
        rows[0].hold(last == ["agent_network"] * 2, f"the last runs came to {last}")
    return rows
