from __future__ import annotations

import time

import pytest
import pytest_asyncio

from tests.support.daemon import Daemon, Home
from tests.support.origin import Origin
from tests.support.otlp import OtlpReceiver

LOOK = 'await run.page.goto("/")'
BAD_TIMES = (503, "reset", (429, {"Retry-After": "1"}), 401, "hang")
SHUTDOWN = 10.0


@pytest.fixture
async def otlp():
    async with OtlpReceiver() as receiver:
        yield receiver


@pytest_asyncio.fixture
async def home(tmp_path, otlp):
    async with Origin(pages={"/": "<h1>Home</h1>"}) as origin:
        home = Home(tmp_path / "home", {"shop": origin.url}, {})
        home.journey("looks", LOOK)
        home.configure(
            schedule={"every": "2s", "timeout": "1s", "grace": "1s"},
            telemetry={"endpoint": otlp.http_endpoint, "interval": "1s"},
        )
        yield home


async def test_whatever_the_collector_does_each_run_is_told_once(home, otlp):
    """Throttled, cut off, refused at the door or hanging: the agent walks on, ends in time with
    its spool on disk, and the next one tells each run once, the latest among the first."""
    async with Daemon(home) as first:
        await first.started()
        for answer in BAD_TIMES:
            otlp.answer = answer
            await first.finished("looks", after=len(first.records))
        asked = otlp.counts["traces"]
        assert asked
        await first.finished("looks", after=len(first.records))
        began = time.monotonic()
        assert await first.terminate() == 0, first.story()
        took = time.monotonic() - began
        assert took < SHUTDOWN, f"the shutdown took {took:.1f} s"
        assert first.events("telemetry.kept")
    assert not otlp.logs
    otlp.answer = 200
    async with Daemon(home) as second:
        await second.started()
        await second.finished("looks", "pass")
        ids = {run["run_id"] for run in home.runs()}
        await otlp.wait_for(
            lambda o: ids <= {log.attributes["footfall.run.id"] for log in o.logs}, 90
        )
        assert await second.terminate() == 0, second.story()
    told = [log.attributes["footfall.run.id"] for log in otlp.logs]
    assert sorted(told) == sorted(run["run_id"] for run in home.runs())
    roots = [span for span in otlp.spans if span.name == "journey looks"]
    assert sorted(span.attributes["footfall.run.id"] for span in roots) == sorted(told)
    points = [m for m in otlp.metrics if m.name == "footfall.journey.runs"]
    stamps = [(point.time_ns, tuple(point.attributes.items())) for point in points]
    assert len(stamps) == len(set(stamps)), "a collection arrived twice"
    newest = {
        series: value
        for _, series, value in sorted(
            (m.time_ns, tuple(m.attributes.items()), m.value) for m in points
        )
    }
    assert sum(newest.values()) == len(told)


async def test_a_signal_that_is_always_refused_is_kept(home, otlp):
    """Where a collector takes nothing of a signal, that is its door: nothing is lost, the log
    says so, and the other signals arrive."""
    otlp.answers["traces"] = 400
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("looks", "pass")
        kept = await daemon.wait_for("telemetry.kept")
        await otlp.wait_for(lambda o: o.logs and o.metrics)
        assert await daemon.terminate() == 0, daemon.story()
    assert kept["signal"] == "traces"
    assert "400" in kept["reason"]
    assert not home.rows("SELECT * FROM spool_refused")
    runs = len(home.runs())
    assert len(home.rows("SELECT * FROM spool WHERE signal = 'traces'")) == runs
    assert not otlp.latest("footfall.spool.dropped", signal="traces")
