"""Web vitals as a page tells them."""

from __future__ import annotations

import pytest

from agent.core.results import Vital
from agent.worker.browser.vitals import Vitals

SOUND = {"origin": 1.0, "lcp": 250, "fcp": 125.0, "ttfb": 0, "inp": None, "cls": 0.25}


class Page:
    """A page whose scripts answer as they like."""

    url = "http://127.0.0.1:1/"

    def __init__(self, reading):
        self.reading = reading

    def is_closed(self):
        return False

    async def evaluate(self, _):
        return self.reading


SPAN = "b000000000000001"


async def collected(reading):
    vitals = Vitals()
    await vitals.read(Page(reading), SPAN)
    return vitals.collected()


async def test_milliseconds_become_seconds():
    """And ``cls`` stays a score; what was not measured is left out."""
    assert await collected(SOUND) == (
        Vital("lcp", 0.25, SPAN),
        Vital("fcp", 0.125, SPAN),
        Vital("ttfb", 0, SPAN),
        Vital("cls", 0.25, SPAN),
    )


async def test_each_step_is_told_what_it_brought():
    """A page's load belongs to the step that loaded it, a slow reaction to the step that acted."""
    vitals = Vitals()
    page = Page(SOUND)
    assert await vitals.read(page, SPAN) == {
        "footfall.web_vital.lcp": 0.25,
        "footfall.web_vital.fcp": 0.125,
        "footfall.web_vital.ttfb": 0,
        "footfall.web_vital.cls": 0.25,
    }
    assert await vitals.read(page, "b000000000000002") == {}
    page.reading = {**SOUND, "inp": 300}
    third = "b000000000000003"
    assert await vitals.read(page, third) == {"footfall.web_vital.inp": 0.3}
    page.reading = {**SOUND, "origin": 2.0, "cls": 0}
    assert len(await vitals.read(page, "b000000000000004")) == 4
    where = {(one.vital, one.value): one.span_id for one in vitals.collected()}
    assert (where["lcp", 0.25], where["inp", 0.3]) == ("b000000000000004", third)
    assert where["cls", 0.25] == SPAN


@pytest.mark.parametrize("value", ["fast", -1, float("nan"), float("inf"), None, [], 1e300])
@pytest.mark.parametrize("name", ["lcp", "fcp", "ttfb", "inp", "cls"])
async def test_what_is_no_measure_is_left_out(name, value):
    """A page may have put anything in the place of the browser's own clock."""
    told = await collected({**SOUND, name: value})
    assert name not in {vital.vital for vital in told}
    assert len(told) >= 3


@pytest.mark.parametrize("origin", [[1.0], {"a": 1}, "now", None])
async def test_a_document_without_a_time_of_its_own_is_left_out(origin):
    """And no run breaks on what a page put in that time's place."""
    assert await collected({**SOUND, "origin": origin}) == ()
