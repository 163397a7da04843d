"""``python -m tests.soak``: soak the agent and print what grew; exit 1 where a rule broke."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.soak import report
from tests.soak.soak import soak

if TYPE_CHECKING:
    from tests.soak.samples import Sample

_TOLD = 60
"""Of so many samples one is printed."""


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--out", type=Path, help="write the samples and the table as JSON too")
    asked = parser.parse_args()
    console = Console(width=200, highlight=False)
    numbers = itertools.count()

    def tell(sample: Sample) -> None:
        if next(numbers) % _TOLD == 0:
            console.print(report.line(sample))

    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        done = asyncio.run(soak(Path(folder), asked.runs, tell))
    console.print(report.table(done))
    if asked.out:
        asked.out.write_text(json.dumps(done.plain(), indent=1))
    return 1 if done.broken else 0


if __name__ == "__main__":
    sys.exit(main())
