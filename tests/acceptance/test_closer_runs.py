"""Closer runs of a journey that fails: sooner news, and the same figures."""

from __future__ import annotations

import asyncio
import signal
from itertools import pairwise

import pytest

from tests.acceptance.test_schedule_and_drain import unix
from tests.support.daemon import Daemon, until
from tests.support.otlp import OtlpReceiver

BUYS = """
async with run.step("Ask the shop"):
    answer = await run.api.get("/api/products")
    marker = os.environ["HOME"] + "/broken"
    assert not os.path.exists(marker), "the shop is broken"
"""
UNMOVED = {"footfall.journey.runs": "result", "footfall.schedule.expected": "expected"}


@pytest.fixture
def breaks(home):
    """A journey each 12 s that fails while a file lies there, and is walked each 2 s then."""
    home.journey("buys", BUYS, 'site="shop", owner="checkout", runbook="https://run.example.com"')
    home.environment["HOME"] = str(home.path)
    home.configure(
        journey__buys={
            "every": "12s", "every_failing": "2s", "timeout": "1s", "grace": "1s",
        },
    )  # fmt: skip
    (home.path / "broken").touch()
    return home


def closer(home):
    return [run for run in home.runs() if run["closer"]]


async def test_down_and_up_are_known_between_two_slots(breaks):
    """The second fail in a row comes within seconds of the first, and so does the second pass;
    runs, expected ones and uptime are those of the slots alone, and the books balance. Down and
    up are told once each, in the agent's log and as records, over a kill of the agent."""
    async with OtlpReceiver() as otlp:
        del breaks.environment["OTEL_SDK_DISABLED"]
        breaks.configure(
            journey__buys={
                "every": "12s", "every_failing": "2s", "timeout": "1s", "grace": "1s",
            },
            telemetry={"endpoint": otlp.http_endpoint, "interval": "500ms"},
        )  # fmt: skip
        async with Daemon(breaks) as daemon:
            await daemon.started()
            first = await daemon.finished("buys", "fail")
            assert first["level"] == "warning"
            assert first["step"] == "Ask the shop"
            assert first["place"].startswith("journeys/buys.py:")
            down = await daemon.wait_for("journey.down")
            await until(lambda: len(closer(breaks)) >= 2, otherwise=daemon.story)
            await daemon.kill()
        assert (down["fails"], down["owner"]) == (2, "checkout")
        assert down["runbook"] == "https://run.example.com"
        assert (down["step"], down["error"]) == ("Ask the shop", first["error"])
        async with Daemon(breaks) as daemon:
            await daemon.started()
            # The state is in the folder, so they go on without a new fail of a slot.
            await until(lambda: len(closer(breaks)) >= 4, otherwise=daemon.story)
            (breaks.path / "broken").unlink()
            up = await daemon.wait_for("journey.up")
            assert up["down_for"] > 2
            mended = len(breaks.runs())
            await until(lambda: len(breaks.runs()) > mended, otherwise=daemon.story)
            assert not daemon.events("journey.down")
            # Two passes in a row are enough: from here on there are slots alone.
            known = len(closer(breaks))
            await asyncio.sleep(5)
            assert len(closer(breaks)) == known
            assert await daemon.terminate() == 0, daemon.story()
        turned = [log.event_name for log in otlp.logs if log.event_name.startswith("journey.")]
        assert turned == ["journey.down", "journey.up"]
        slots = [run for run in breaks.runs() if not run["closer"]]
        for name, kind in UNMOVED.items():
            newest = {
                tuple(sorted(point.attributes.items())): point.value
                for point in sorted(otlp.metrics, key=lambda point: point.time_ns)
                if point.name == name
            }
            assert sum(newest.values()) == sum(breaks.totals(kind).values())
        assert set(breaks.balance().values()) == {0}
        assert len(slots) <= sum(breaks.totals("result").values())
        assert not any(row["reason"] == "overrun" for row in breaks.slots())
        moments = sorted(unix(run["scheduled_at"]) for run in breaks.runs())
        # To the milliseconds that are told.
        gaps = {round(later - earlier, 2) % 2 for earlier, later in pairwise(moments)}
        assert gaps == {0}, "they lie on the grid of the slots"


async def test_a_reload_that_takes_the_key_away_ends_them(breaks):
    """What was walked closely is walked at its slots alone from then on."""
    async with Daemon(breaks) as daemon:
        await daemon.started()
        await until(lambda: len(closer(breaks)) >= 1, otherwise=daemon.story)
        breaks.configure(journey__buys={"every": "12s", "timeout": "1s", "grace": "1s"})
        daemon.signal(signal.SIGHUP)
        await daemon.wait_for("reload.done")
        # What is under way ends as it began.
        await asyncio.sleep(4)
        known = len(closer(breaks))
        await asyncio.sleep(5)
        assert len(closer(breaks)) == known
        assert await daemon.terminate() == 0, daemon.story()


async def test_check_refuses_what_does_not_fit(breaks):
    """Timeout and grace must fit into every_failing; it says where both stand."""
    breaks.configure(journey__buys={"every": "12s", "every_failing": "2s", "timeout": "3s"})
    told = await breaks.footfall("check")
    assert told.code == 2
    assert "timeout 3s + grace 1s is more than every_failing 2s" in told.err
    assert "journey.buys.every_failing" in told.err
