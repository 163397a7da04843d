"""From breakage to page, and where the time goes: ``python -m tests.bench.page [TRIES]``.

Everything as an operator would have it: a journey each minute, metrics each 15 s, the rules
that ``footfall rules`` prints, the notices gathered as deploy/alertmanager.yaml says.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.support.alerting import Alertmanager, Vmalert, Webhook, configuration
from tests.support.daemon import Daemon, Home
from tests.support.demo import DemoShop
from tests.support.otlp import OtlpReceiver
from tests.support.service import ROOT
from tests.support.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from tests.support.daemon import Record

_JOURNEY = "buy_a_mug"
_EVERY = 60.0
_PAGED_WITHIN = 300.0
_FAILING = f'footfall_journey_consecutive_failures{{journey="{_JOURNEY}"}}'
_ASK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Way:
    """Where the seconds from a breakage to its page went."""

    first_slot: float
    first_run: float
    second_slot: float
    second_run: float
    export: float
    rule: float
    gathering: float

    @property
    def whole(self) -> float:
        """All of them."""
        return sum(astuple(self))


_MEANS = {
    "first_slot": "up to the next slot, and its start",
    "first_run": "its attempt and the confirming one",
    "second_slot": "up to the slot after that",
    "second_run": "its attempt and the confirming one",
    "export": "until the store has the second failure",
    "rule": "until the rule is evaluated",
    "gathering": "Alertmanager gathers, and sends",
    "whole": "from breakage to page",
}


async def measure(tries: int) -> list[Way]:
    """Break the shop at a random moment of the minute, wait for the page, mend it; again."""
    ways: list[Way] = []
    with tempfile.TemporaryDirectory(prefix="footfall-page-") as folder:
        async with DemoShop() as shop, VictoriaMetrics() as store, OtlpReceiver() as otlp:
            home = Home(
                Path(folder),
                {"shop": shop.url},
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.http_endpoint,
                    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": store.otlp_metrics_endpoint,
                },
            )
            shutil.copy(ROOT / "journeys" / f"{_JOURNEY}.py", home.journeys)
            home.configure(
                schedule={"every": f"{_EVERY:.0f}s", "timeout": "15s", "confirm_after": "3s"},
                telemetry={"interval": "15s"},
                **{f"journey__{_JOURNEY}": {"every": f"{_EVERY:.0f}s", "timeout": "15s"}},
            )
            rules = (await home.footfall("rules")).out
            async with (
                Webhook() as webhook,
                Alertmanager(configuration(webhook.url)) as alertmanager,
                Vmalert(rules, store.url, alertmanager.url),
                Daemon(home) as daemon,
            ):
                await daemon.started()
                await daemon.finished(_JOURNEY, "pass", timeout=2 * _EVERY)
                for _ in range(tries):
                    await asyncio.sleep(random.uniform(0, _EVERY))
                    ways.append(await _once(home, daemon, shop, store, webhook))
    return ways


async def _once(
    home: Home, daemon: Daemon, shop: DemoShop, store: VictoriaMetrics, webhook: Webhook
) -> Way:
    heard = len(daemon.records)
    await shop.throw("error")
    broken = time.time()
    stored = asyncio.create_task(_until_stored(store))
    page = await webhook.wait_for(
        lambda n: n.name == "JourneyDown" and n.status == "firing", _PAGED_WITHIN, after=broken
    )
    await shop.throw("none")
    failed = {r["run_id"] for r in daemon.records[heard:] if r.get("result") == "fail"}
    first, second = [run for run in home.runs() if run["run_id"] in failed][:2]
    fired = datetime.fromisoformat(page.starts_at).timestamp()
    arrived = await stored
    await webhook.wait_for(
        lambda n: n.name == "JourneyDown" and n.status == "resolved", _PAGED_WITHIN, after=page.at
    )
    return Way(
        first_slot=_started(first) - broken,
        first_run=first["ended_at"] - _started(first),
        second_slot=_started(second) - first["ended_at"],
        second_run=second["ended_at"] - _started(second),
        export=arrived - second["ended_at"],
        rule=fired - arrived,
        gathering=page.at - fired,
    )


def _started(run: Record) -> float:
    return datetime.fromisoformat(run["started_at"]).timestamp()


async def _until_stored(store: VictoriaMetrics) -> float:
    # Another process can't set an event of ours.
    while not any(value >= 2 for _, value in await store.query(_FAILING)):  # noqa: ASYNC110
        await asyncio.sleep(_ASK_EVERY)
    return time.time()


def main() -> int:
    """Print one column for each try, in seconds, and their median."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    ways = asyncio.run(measure(tries))
    table = Table("seconds", *(f"try {n + 1}" for n in range(tries)), "median")
    for name in (*(one.name for one in fields(Way)), "whole"):
        values = [getattr(way, name) for way in ways]
        cells = [f"{value:.1f}" for value in (*values, statistics.median(values))]
        table.add_row(_MEANS[name], *cells, end_section=name == "gathering")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
