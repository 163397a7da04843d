"""Pages that say what breaks others, or weigh too much: each is measured like any other."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.faults.books import ALL, Outcome, Row, Rows, row_of, together, until_tried
from tests.faults.watch import Watch
from tests.support.daemon import Daemon, Home
from tests.support.hostile import HEAVY, HOSTILE, journey, pages
from tests.support.origin import Origin

if TYPE_CHECKING:
    import re
    from pathlib import Path
    from random import Random

_LIGHT, _SLOW = 8.0, 30.0
"""Seconds that a page takes at most, both attempts and the pause between: a heavy one more."""
_WORKERS = 2
_LONGEST_ROW = 2_000_000
"""Characters of a run in the history, with all that its pages said."""
_OVER = frozenset({"done", "skipped"})
_FAIL: Outcome = ("fail", "assertion")
_HEAVY: tuple[Outcome, ...] = (_FAIL, ("fail", "timeout"))
"""A page may be so heavy that what the journey looks for can't be looked for in time."""
_PASS: Outcome = ("pass", None)


async def run(folder: Path, tries: int, _: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Walk every page in one agent, failures confirmed and recorded."""
    names = [name for name in HOSTILE | HEAVY if only.search(name)]
    if names:
        async for row in together(_walk(folder, tries, names)):
            yield row


async def _walk(folder: Path, tries: int, names: list[str]) -> list[Row]:
    longest = sum(_SLOW if name in HEAVY else _LIGHT for name in names)
    every = max(20, round(longest / _WORKERS))
    async with Origin(pages=pages()) as origin:
        home = Home(folder, {"shop": origin.url})
        for name in names:
            home.journey(f"on_{name}", journey(name))
        home.configure(
            schedule={"every": f"{every}s", "timeout": "10s", "grace": "3s"},
            workers={"count": _WORKERS},
        )
        async with Daemon(home) as daemon:
            await daemon.started()
            async with Watch(home, daemon.pid) as watch:
                journeys = [f"on_{name}" for name in names]
                await until_tried(home, journeys, tries, 2 * every * (tries + 1))
                await _quiet(home)
            code = await daemon.terminate()
    rows = []
    for name in names:
        light = (_FAIL,) if (HOSTILE | HEAVY)[name].fails else (_PASS,)
        intended = _HEAVY if name in HEAVY else light
        row = row_of(home, f"page {name}", f"on_{name}", tries, intended)
        row.hold(row.results.total() > 0, "never measured")
        rows.append(row)
    size = max((len(str(one)) for one in home.runs()), default=0)
    rows[0].hold(size < _LONGEST_ROW, f"a run of {size} characters in the history")
    rows[0].hold(code == 0, f"the agent ended with {code}")
    rows[0].hold_none_left(watch.broken())
    return rows


async def _quiet(home: Home) -> None:
    """Wait for a moment without a run: one on a heavy page may take longer than a drain."""
    with suppress(TimeoutError):
        async with asyncio.timeout(2 * _SLOW):
            while any(one["state"] not in _OVER for one in home.rows("SELECT * FROM slots")):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
