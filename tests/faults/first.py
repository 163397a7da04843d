"""The agent as process 1 of its own namespace, as in a container without an init."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from tests.faults import journeys
from tests.faults.books import ALL, Rows
from tests.support.namespace import NAMESPACE, can_unshare

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_WORST = re.compile("^(forks|spins|calls_os_exit|closes_its_browser|eats_memory)$")


async def run(folder: Path, tries: int, random: Random, only: re.Pattern[str] = ALL) -> Rows:
    """The faults that leave most behind, where nobody but the agent reaps."""
    if not can_unshare():
        sys.stderr.write("left out: process namespaces can't be made here, it takes root\n")
        return
    only = _WORST if only is ALL else only
    where = "as process 1: "
    async for row in journeys.run(folder, tries, random, only, NAMESPACE, where):
        yield row
