"""What journeys without a browser cost: a hundred, each every ten seconds, on one core.

Run as a program, it measures and prints this alone.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.bench.lateness import ended_runs, quantile, unix
from tests.bench.meter import Meter
from tests.bench.shares import ROLES, watched
from tests.bench.sides import Agent, Load
from tests.bench.site import Site
from tests.support.otlp import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.shares import Shares

JOURNEYS = 100
EVERY = 10.0
CORE = 1.0
_BESIDE = 4
"""Journeys in browsers beside them, each as often: half of what one core can walk."""
_SETTLE = 12.0
_SECONDS = 30.0
_WIDTH = 110

_CALL = '''
@journey(site="bench", owner="bench", browser=False)
async def call_{number}(run: Run) -> None:
    """Two calls."""
    async with run.step("Ask once"):
        await expect(await run.api.get("/api")).to_be_ok()
    async with run.step("Ask again"):
        answer = await run.api.get("/api")
        assert await answer.json() == {{}}
'''


class OneCore(Agent):
    """The daemon with these journeys, and all that it starts, on one core."""

    def __init__(self, meter: Meter, url: str, endpoint: str, beside: int) -> None:
        super().__init__(meter, url, endpoint, Load(beside, EVERY))

    def prepare(self) -> None:
        super().prepare()
        head = '"""Calls of the benchmark."""\n\nfrom agent import Run, expect, journey\n\n'
        calls = "\n".join(_CALL.format(number=n) for n in range(JOURNEYS))
        (self.folder / "journeys" / "calls.py").write_text(head + calls)

    def program(self) -> Sequence[str]:
        return ["taskset", "-c", "0", *super().program()]


@dataclass(frozen=True, slots=True)
class Calls:
    """What was seen of them. Times are seconds."""

    beside: int
    """Journeys in browsers that were walked meanwhile."""
    late: list[float]
    """From each slot's time until a worker was told to walk."""
    walked: int
    """Walks in browsers."""
    wanting: int
    """Slots that were skipped, and runs that did not pass."""
    cpu: float
    seconds: float
    shares: Shares

    @property
    def share(self) -> float:
        """Of one core."""
        return self.cpu / self.seconds


async def measure(url: str, endpoint: str) -> list[Calls]:
    """Walk them alone, and beside browsers."""
    return [await _measure(url, endpoint, beside) for beside in (0, _BESIDE)]


async def _measure(url: str, endpoint: str, beside: int) -> Calls:
    with Meter() as meter:
        async with OneCore(meter, url, endpoint, beside) as agent:
            await agent.until(1)
            await asyncio.sleep(_SETTLE)
            begin, cpu = time.time(), meter.seconds()
            async with watched(meter, [agent.pid]) as shares:
                await asyncio.sleep(_SECONDS)
            end, spent = time.time(), meter.seconds() - cpu
            await agent.drain()
            runs, skipped = ended_runs(agent.database, begin, end)
    calls = [one for one in runs if one["journey"].startswith("call_")]
    return Calls(
        beside=beside,
        late=[unix(one["started_at"]) - unix(one["scheduled_at"]) for one in calls],
        walked=len(runs) - len(calls),
        wanting=skipped + sum(one["result"] != "pass" for one in runs),
        cpu=spent,
        seconds=end - begin,
        shares=shares,
    )


def table(found: Sequence[Calls]) -> Table:
    """One row alone, one beside browsers."""
    made = Table("", "walks/s", "late p50, p99", "CPU-ms a walk", "of a core", *ROLES)
    made.title = f"{JOURNEYS} journeys without a browser, each every {EVERY:g} s, all on one core"
    for one in found:
        calls = len(one.late)
        name = f"beside {one.beside} in browsers" if one.beside else "alone"
        # What ended before the last look is the browsers'; where there are none, nobody's.
        spent = (max(0.0, one.shares.of(role)) / one.seconds for role in ROLES)
        held = "held" if one.share < CORE and not one.wanting else "missed"
        made.add_row(
            name,
            f"{calls / one.seconds:.1f}",
            f"{quantile(one.late, 0.5):.3f}, {quantile(one.late, 0.99):.3f} s",
            f"{1000 * one.cpu / calls:.0f}" if not one.beside else "",
            f"[bold]{one.share:.2f}[/bold] {held} < {CORE:g}",
            *(f"{share:.2f}" for share in spent),
        )
    wanting = sum(one.wanting for one in found)
    walked = sum(one.walked for one in found)
    made.caption = f"{wanting} skipped or not passed; {walked} walks in browsers meanwhile"
    return made


async def _main() -> None:
    async with Site() as site, OtlpReceiver() as otlp:
        Console(width=_WIDTH).print(table(await measure(site.url, otlp.http_endpoint)))


if __name__ == "__main__":
    asyncio.run(_main())
