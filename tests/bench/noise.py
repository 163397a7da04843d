"""What a page's noise costs: the same pages in bare Playwright and as a journey has them."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import expect

from agent.worker.browser.launch import LaunchOptions, close, driver, launch
from tests.bench.viewer import BARE, CALLS, page_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Playwright


@dataclass(frozen=True, slots=True)
class Noise:
    """Console lines and requests of a page."""

    lines: int
    requests: int


PAGES = (Noise(0, 45), Noise(2_000, 45), Noise(20_000, 45), Noise(0, 500))
SIDES = (BARE, CALLS)
_WARM = 1
_LONGEST = 60_000
"""Milliseconds for a page to be done."""


@dataclass(frozen=True, slots=True)
class Noises:
    """Seconds by side and page; those of one index were taken in one round."""

    walks: dict[tuple[str, Noise], list[float]]

    def wall(self, side: str, page: Noise) -> float:
        """The middle one of the rounds."""
        return statistics.median(self.walks[side, page])

    def ratio(self, page: Noise) -> float:
        """The middle one of the rounds' ratios."""
        pairs = zip(self.walks[CALLS, page], self.walks[BARE, page], strict=True)
        return statistics.median(one / other for one, other in pairs)


async def measure(url: str, executable: Path, rounds: int) -> Noises:
    """Walk each page on both sides in turns, in an order of chance, in fresh browsers."""
    walks: dict[tuple[str, Noise], list[float]] = {(s, p): [] for s in SIDES for p in PAGES}
    order = list(walks)
    async with driver() as playwright:
        for number in range(_WARM + rounds):
            random.shuffle(order)
            for side, noise in order:
                took = await _walk(side, url, noise, str(executable), playwright)
                if number >= _WARM:
                    walks[side, noise].append(took)
    return Noises(walks)


async def _walk(
    side: str, url: str, noise: Noise, executable: str, playwright: Playwright
) -> float:
    browser = await launch(playwright, LaunchOptions(executable))
    try:
        page = await page_of(side, url, browser, playwright)
        since = time.perf_counter()
        await page.goto(f"/noise?lines={noise.lines}&requests={noise.requests}")
        await expect(page.get_by_test_id("done")).to_have_text("done", timeout=_LONGEST)
        return time.perf_counter() - since
    finally:
        await close(browser)
