"""Web vitals as a page tells them."""

from __future__ import annotations

import pytest

from agent.browser.vitals import Vitals
from agent.model import Vital

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


async def collected(reading):
    vitals = Vitals()
    await vitals.read(Page(reading))
    return vitals.collected()


async def test_milliseconds_become_seconds():
    """And ``cls`` stays a score; what was not measured is left out."""
    assert await collected(SOUND) == (
        Vital("lcp", 0.25),
        Vital("fcp", 0.125),
        Vital("ttfb", 0),
        Vital("cls", 0.25),
    )


@pytest.mark.parametrize("value", ["fast", -1, float("nan"), float("inf"), None, [], 1e300])
@pytest.mark.parametrize("name", ["lcp", "fcp", "ttfb", "inp", "cls"])
async def test_what_is_no_measure_is_left_out(name, value):
    """A page may have put anything in the place of the browser's own clock."""
    told = await collected({**SOUND, name: value})
    assert name not in {vital.vital for vital in told}
    assert len(told) >= 3
