"""Measures, prints, and keeps what it printed; a figure that misses its target is no error."""

from __future__ import annotations

import asyncio
import sys
import time

from rich.console import Console

from agent.browsers.find import require_browser
from agent.core.errors import BrowserMissing
from agent.worker.browser.launch import _ARGS, needs_no_sandbox
from tests.bench import calls, cost, idle, lateness, node, noise, report, stop, store, views
from tests.bench.last import Printed
from tests.bench.meter import BURNED, MeterError, self_check
from tests.bench.site import Site
from tests.support.otlp import OtlpReceiver

_ROUNDS = 2
_VIEWS = 20
_LATE_VIEWS = 12
_NOISES = 4
_TOLERANCE = 0.1
"""How far the meter may be off; a Python that starts is in what it reads."""


async def _main(console: Printed) -> None:
    since = time.monotonic()
    executable = require_browser()
    method, read = self_check()
    if abs(read - BURNED) > _TOLERANCE * BURNED:
        raise MeterError(
            f"processes that burn {BURNED:.2f} s of CPU are read as {read:.2f} s by {method}: "
            "no figure from here could be believed"
        )
    console.print(
        f"CPU time by {method}; processes that burn {BURNED:.2f} s are read as {read:.2f} s. "
        "This takes some ten minutes; leave the machine alone."
    )
    found = await views.measure(executable, _VIEWS, "/bench")
    console.print(report.views(found, "A page of 45 requests, 40 cacheable", report.VIEW))
    found = await views.measure(executable, _LATE_VIEWS, "/bench/late")
    title = "The same with 20 ms before each answer"
    console.print(report.views(found, title, report.LATE_VIEW))
    async with Site() as site, OtlpReceiver() as otlp:
        costs = await cost.measure(site.url, executable, otlp.http_endpoint, _ROUNDS)
        args = [*_ARGS, *(["--no-sandbox"] if needs_no_sandbox() else [])]
        try:
            runner: float | str = await asyncio.to_thread(node.measure, site.url, executable, args)
        except node.Unavailable as error:
            runner = f"not measured: {error}"
        console.print(report.costs(costs, runner))
        console.print(report.shares(costs))
        console.print(report.noise(await noise.measure(site.url, executable, _NOISES)))
        console.print(report.idle(await idle.measure(site.url, otlp.http_endpoint)))
        rate = costs.agent[-1].rate
        late, sizes = await lateness.measure(site.url, otlp, rate)
        console.print(report.lateness(late))
        console.print(report.memory(sizes))
        console.print(report.stops(await stop.measure(site.url)))
        console.print(calls.table(await calls.measure(site.url, otlp.http_endpoint)))
        arrived = otlp.counts
    console.print(report.pages(await store.measure()))
    console.print(
        f"Sent meanwhile: {arrived['traces']} requests of traces, {arrived['metrics']} of "
        f"metrics, {arrived['logs']} of logs. Took {time.monotonic() - since:.0f} s."
    )
    console.write(executable)


def main() -> int:
    """Run the benchmark; 1 where there is no browser, or CPU time can't be told."""
    try:
        asyncio.run(_main(Printed(Console())))
    except (BrowserMissing, MeterError) as error:
        sys.stderr.write(f"bench: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
