"""Slow passes, from what the author wrote to what everybody is shown."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.support.daemon import Daemon
from tests.support.otlp import OtlpReceiver

DAWDLES = """
async with run.step("Open"):
    await run.page.goto("/")
async with run.step("Rate it", slow="200ms"):
    await asyncio.sleep(0.4)
"""
SLOW, IN_A_ROW = "footfall.journey.slow", "footfall.journey.consecutive_slow"


@pytest.fixture
def dawdling(home):
    home.journey("dawdles", DAWDLES, 'site="shop", owner="tests", slow="300ms"')
    home.schedule |= {"every": "6s", "timeout": "5s"}
    home.configure()
    return home


async def test_a_slow_pass_is_marked_counted_and_shown_from_the_second_on(dawdling):
    """It stays a pass, in all figures; run, span, log record, counter and gauge have the mark,
    and status shows it from the second in a row on. A restart forgets none of it."""
    async with OtlpReceiver() as otlp:
        dawdling.environment.clear()
        dawdling.configure(telemetry={"endpoint": otlp.http_endpoint, "interval": "500ms"})
        async with Daemon(dawdling) as daemon:
            await daemon.started()
            await daemon.finished("dawdles", "pass")
            once = await dawdling.footfall("status")
            assert "SLOW" not in once.out or len(dawdling.runs()) > 1
            assert await daemon.terminate() == 0, daemon.story()
        async with Daemon(dawdling) as daemon:
            await daemon.started()
            await daemon.finished("dawdles", "pass")
            shown = await dawdling.footfall("status")
            assert shown.out.splitlines()[3].split()[:2] == ["SLOW", "dawdles"], shown.out
            assert 'step "Rate it": 0.4' in shown.out
            assert await daemon.terminate() == 0, daemon.story()
        runs = dawdling.runs()
        assert {run["result"] for run in runs} == {"pass"}
        assert [[one["step"] for one in run["slow"]] for run in runs] == [[None, "Rate it"]] * len(
            runs
        )
        for log in otlp.logs:
            assert len(log.attributes["footfall.slow"]) == 2
        roots = [span for span in otlp.spans if span.name == "journey dawdles"]
        assert all(len(span.attributes["footfall.slow"]) == 2 for span in roots)
        steps = {span.name for span in otlp.spans if span.attributes.get("footfall.step.slow")}
        assert steps == {"step Rate it"}
        counted = max(point.value for point in otlp.metrics if point.name == SLOW)
        in_a_row = [point.value for point in otlp.metrics if point.name == IN_A_ROW]
        assert counted == in_a_row[-1] == len(runs) >= 2


async def test_once_and_junit_tell_it(dawdling, tmp_path):
    """A person and a build server read what was too slow; the exit code stays 0."""
    report = tmp_path / "report.xml"
    told = await dawdling.footfall("once", "--junit", str(report))
    assert told.code == 0, told
    assert "SLOW" in told.out
    assert "above its limit of 300ms" in told.out
    (case,) = ET.parse(report).getroot()
    assert [one.get("name") for one in case.find("properties")] == ["slow", "slow"]


async def test_check_refuses_limits_that_make_no_sense(dawdling):
    """Above the timeout, a step's above the journey's, unreadable: each with file and line."""
    dawdling.journey("over", DAWDLES, 'site="shop", owner="tests", slow="9s"')
    dawdling.journey("step", DAWDLES, 'site="shop", owner="tests", slow="100ms"')
    dawdling.journey("word", DAWDLES.replace("200ms", "soon"))
    told = await dawdling.footfall("check")
    assert told.code == 2
    for expected in (
        "journeys/over.py:8: journey over: slow 9s is above the timeout of 5s",
        "journeys/step.py:12: journey step: step 'Rate it': slow 200ms is above the journey's",
        "journeys/word.py:12: journey word: step 'Rate it': slow: 'soon' is not a duration",
    ):
        assert expected in told.err, told.err


async def test_a_computed_limit_that_cant_be_read_is_the_scripts_fault(home):
    """What check can't see is told by the walk, with its line, and never blamed on the site."""
    home.journey("odd", 'async with run.step("Open", slow=str(7)):\n    pass')
    told = await home.footfall("once", "--json")
    assert told.code == 3, told
    (run,) = told.objects
    assert run["error_type"] == "script_error"
    assert "run.step('Open', slow=…): '7' is not a duration" in run["error"]
    assert run["place"]["line"] == 10
