"""``python -m tests.faults``: run the campaign and print its table; exit 1 where a rule broke."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
from pathlib import Path

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
    sites,
)

FAMILIES = {
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
}


async def campaign(
    names: list[str], tries: int, seed: int, only: re.Pattern[str]
) -> list[books.Row]:
    """Run the families of these names, of each the faults that match, one after the other."""
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory(prefix="campaign-", ignore_cleanup_errors=True) as folder:
            dice = random.Random(seed)
            rows += await FAMILIES[name](Path(folder) / "home", tries, dice, only)
    return rows


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("family", nargs="*", default=list(FAMILIES), help=", ".join(FAMILIES))
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--only", type=re.compile, default=books.ALL, metavar="PATTERN")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--out", type=Path, help="write the table as JSON too")
    asked = parser.parse_args()
    console = Console(width=200, highlight=False)
    console.print(f"seed {asked.seed}")
    rows = asyncio.run(campaign(asked.family, asked.tries, asked.seed, asked.only))
    console.print(books.table(rows))
    if asked.out:
        asked.out.write_text(json.dumps([row.plain() for row in rows], indent=1))
    return 1 if any(row.broken or row.slow for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
