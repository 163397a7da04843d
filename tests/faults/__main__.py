"""``python -m tests.faults``: run the campaign, tell of each fault, and print the table.

Exit 1 where a rule broke, or the campaign was stopped before its end."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.faults import (
    books,
    clock,
    collectors,
    damage,
    first,
    hostile,
    journeys,
    kills,
    network,
    operator,
    replicas,
    sites,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

FAMILIES: dict[str, books.Family] = {
    "journeys": journeys.run,
    "sites": sites.run,
    "hostile": hostile.run,
    "network": network.run,
    "collectors": collectors.run,
    "kills": kills.run,
    "operator": operator.run,
    "damage": damage.run,
    "clock": clock.run,
    "first": first.run,
    "replicas": replicas.run,
}


Report = Callable[[str, books.Row | None], None]
"""Hears which family is begun, and then each row of it as soon as it is known."""


async def campaign(
    families: Mapping[str, books.Family],
    tries: int,
    seed: int,
    only: re.Pattern[str],
    report: Report,
) -> None:
    """Run families one after the other, of each the faults that match."""
    for name, family in families.items():
        with tempfile.TemporaryDirectory(prefix="campaign-", ignore_cleanup_errors=True) as folder:
            report(name, None)
            dice = random.Random(seed)
            try:
                async for row in family(Path(folder) / "home", tries, dice, only):
                    report(name, row)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next family is tried
                report(name, books.broken_off(f"(all of {name})", tries, error))


async def until_stopped(work: Coroutine[None, None, None]) -> bool:
    """Do the work; True where SIGINT or SIGTERM ended it before its own end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait({task})
    if task.cancelled():
        return True
    task.result()
    return False


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("family", nargs="*", default=list(FAMILIES), help=", ".join(FAMILIES))
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--only", type=re.compile, default=books.ALL, metavar="PATTERN")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--out", type=Path, help="write the table as JSON too, row by row")
    asked = parser.parse_args()
    if unknown := set(asked.family) - set(FAMILIES):
        parser.error(f"no family {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    # A pipe would keep back what a terminal shows at once.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    console = Console(width=200, highlight=False)
    rows: list[books.Row] = []

    def report(family: str, row: books.Row | None) -> None:
        text = row.line() if row else (FAMILIES[family].__doc__ or "").partition("\n")[0]
        line = f"{datetime.now(UTC):%H:%M:%S} {family}: {text}"
        console.print(line, soft_wrap=True, markup=False)
        if row is not None:
            rows.append(row)
        if asked.out:
            asked.out.write_text(json.dumps([one.plain() for one in rows], indent=1))

    families = {name: FAMILIES[name] for name in asked.family}
    console.print(f"seed {asked.seed}, {asked.tries} tries each of {', '.join(families)}")
    work = campaign(families, asked.tries, asked.seed, asked.only, report)
    stopped = asyncio.run(until_stopped(work))
    console.print(books.table(rows))
    if stopped:
        console.print("stopped before its end: these are the faults that were tried by then")
    return 1 if stopped or not rows or any(row.rules for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
