"""What an agent finds in its state folder after a kill: files cut short, spoiled and gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from tests.faults.books import ALL, Part, Row, Rows, each
from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver

if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

_OPEN = 'await run.page.goto("/")'
_DELIVERY = 20.0
_DATABASE, _LOG, _ID = "footfall.db", "footfall.db-wal", "instance-id"


def _cut(content: bytearray, random: Random) -> None:
    del content[random.randrange(len(content)) :]


def _noise(content: bytearray, random: Random) -> None:
    size = min(random.choice((16, 512, 4096, 40_000)), len(content))
    at = random.randrange(len(content) - size + 1)
    content[at : at + size] = random.randbytes(size)


def _zeros(content: bytearray, random: Random) -> None:
    at = random.randrange(len(content)) // 4096 * 4096
    content[at : at + 4096] = bytes(len(content[at : at + 4096]))


def _gone(content: bytearray, _: Random) -> None:
    content.clear()


Deed = tuple[str, "Callable[[bytearray, Random], None]"]
DEEDS: dict[str, Deed] = {
    "state file cut short": (_DATABASE, _cut),
    "state file overwritten in part": (_DATABASE, _noise),
    "a page of the state file lost": (_DATABASE, _zeros),
    "state file emptied": (_DATABASE, _gone),
    "log of the state file cut short": (_LOG, _cut),
    "log of the state file overwritten": (_LOG, _noise),
    "log of the state file emptied": (_LOG, _gone),
    "the agent's id spoiled": (_ID, _noise),
}


def _spoil(home: Home, deed: Deed, random: Random) -> None:
    name, spoil = deed
    if name == _DATABASE:
        with closing(sqlite3.connect(home.state / name)) as connection:
            # What still stands in the log would mend the file at once.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    path = home.state / name
    content = bytearray(path.read_bytes())
    spoil(content, random)
    path.write_bytes(content)


def _read_totals(home: Home, row: Row) -> None:
    """Take what was offered and what came of it from the totals, which outlive lost rows."""
    for total in home.rows("SELECT * FROM slot_totals"):
        if total["kind"] == "expected":
            row.offered += total["total"]
        elif total["kind"] == "result":
            row.results[(total["word"], None)] += total["total"]
        else:
            row.skips[total["word"]] += total["total"]
    # Rows may be gone of which the total is left, so that these two need not come to the same.
    row.lost = len(home.rows("SELECT 1 FROM slots WHERE state IN ('offered', 'running')"))
    row.hold(row.lost == 0, f"{row.lost} slots have no word")
    row.hold(set(row.results) <= {("pass", None), ("not_measured", None)}, "not intended")
    row.hold(
        row.offered == row.results.total() + row.skips.total(), "offered is not results + skips"
    )
    sums = "SELECT coalesce(sum(items), 0) AS items, coalesce(sum(bytes), 0) AS bytes FROM "
    kept, said = (tuple(home.rows(sums + table)[0]) for table in ("spool", "spool_sums"))
    row.hold(kept == said, f"{kept} items and bytes wait in the spool, which says {said}")


def _ended(home: Home) -> set[str]:
    """The slots that the books know to have ended: what the damage took, nobody can know."""
    rows = home.rows("SELECT run_id FROM slots WHERE state IN ('done', 'skipped')")
    return {row["run_id"] for row in rows}


def _delivered(otlp: OtlpReceiver) -> list[str]:
    """The runs whose outermost span arrived, once for each time it did."""
    return [span.attributes["footfall.run.id"] for span in otlp.spans if not span.parent_id]


def _has(run_id: str, otlp: OtlpReceiver) -> bool:
    return run_id in _delivered(otlp)


async def _damaged(name: str, folder: Path, origin: Origin, tries: int, random: Random) -> Row:
    """Kill an agent whose collector is away, spoil a file, and start it again; over and over."""
    row = Row(name, tries)
    again: set[str] = set()
    async with OtlpReceiver() as otlp:
        home = Home(folder / name.replace(" ", "_"), {"shop": origin.url}, {})
        home.journey("steady", _OPEN)
        home.configure(
            schedule={"every": "2s", "timeout": "1s", "grace": "1s"},
            telemetry={"endpoint": otlp.http_endpoint, "interval": "500ms"},
            workers={"count": 1},
        )
        otlp.answer = 503
        for number in range(tries + 1):
            async with Daemon(home) as daemon:
                await daemon.started()
                known = _ended(home)
                await daemon.finished("steady", "pass")
                if number < tries:
                    await daemon.finished("steady", "pass", after=len(daemon.records))
                    await daemon.kill()
                else:
                    otlp.answer = 200
                    last = await daemon.finished("steady", "pass", after=len(daemon.records))
                    await otlp.wait_for(partial(_has, last["run_id"]), _DELIVERY)
                    code = await daemon.terminate()
                again |= known & {record["run_id"] for record in daemon.events("run.finished")}
            await home.until_gone()
            if number < tries:
                _spoil(home, DEEDS[name], random)
        arrived = _delivered(otlp)
    _read_totals(home, row)
    row.hold(code == 0, f"the agent ended with {code}")
    row.hold(not again, f"walked again, though the books had them: {again}")
    row.hold(len(arrived) == len(set(arrived)), "a run was delivered twice")
    row.hold_none_left([*home.processes(), *home.scratch()])
    return row


async def run(folder: Path, tries: int, random: Random, only: re.Pattern[str] = ALL) -> Rows:
    """Spoil each file of the state folder, in each way, after kills."""
    async with Origin(pages={"/": "<title>Home</title>"}) as origin:
        about = {"folder": folder, "origin": origin, "tries": tries, "random": random}
        parts: dict[str, Part] = {name: partial(_damaged, **about) for name in DEEDS}
        async for row in each(parts, tries, only):
            yield row
