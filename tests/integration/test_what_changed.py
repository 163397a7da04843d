"""Which change stands first when a shop is broken, in one way at a time."""

from __future__ import annotations

import textwrap
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, get_args

import pytest

from agent.core.errors import ErrorType
from agent.runs.comparing.comparison import compare
from tests.support.demo import DemoShop
from tests.support.oscar import JOURNEYS as OSCAR_JOURNEYS
from tests.support.oscar import OscarShop
from tests.support.planting import Fault, PlantedShop
from tests.support.service import ROOT
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent.core.outline import Outline
    from tests.support.walking import Walked

CAUSES: dict[Fault, str] = {
    "script": "/life/shop.js has another version: ?v=42, before ?v=41",
    "redirect": "led to /life/closed (302)",
    "third party": "GET /kit.js failed (net::ERR_",
    "slow": "GET /life/stock had no answer for",
    "page error": "uncaught error on the page: Error: settings of session # are missing",
    "moved": "came GET /life/elsewhere, which answered 404",
    "status": " answered 503, before it led to ",
    "missing": "GET /life/stock was no longer asked for",
    "console": "new error in the console: payment refused session #",
    "release": "another release answered: 1.4.3, before 1.4.2",
}
"""What the first line has to say of each fault."""

DEMO = {"at": "/checkout", "link": "/checkout", "posted": "/cart/add", "renamed": "Place order"}
OSCAR = {
    "at": "/basket/",
    "link": "/checkout/",
    "posted": "/basket/add/",
    "renamed": "Proceed to checkout",
}
_QUICK = "from playwright.async_api import expect as quick\nquick.set_options(timeout={0})\n"
_QUICK += "run.page.set_default_timeout({0})\n"
_HEALTHY_WAIT = 20_000
_BROKEN_WAIT = {"demo": 2_500, "oscar": 8_000}
"""Milliseconds: a walk is to fail on its fault, and not on a machine that is busy."""


def body(file: str) -> str:
    """What a journey does, out of its file."""
    _, _, text = (ROOT / file).read_text().partition("async def ")
    return textwrap.dedent(text.split('"""', 2)[2])


DEMO_JOURNEY = body("journeys/buy_a_mug.py")
OSCAR_JOURNEY = body(str(OSCAR_JOURNEYS / "register_and_order.py"))


class Campaign:
    """Walks one journey through one shop, and keeps what passes."""

    def __init__(self, walker: Walker, shop: PlantedShop, journey: str, wait: int) -> None:
        self._walker = walker
        self._shop = shop
        self._journey = journey
        self._wait = wait
        self.passes: list[Outline] = []

    async def walk(self, fault: Fault = "") -> Walked:
        self._shop.fault = fault
        wait = self._wait if fault else _HEALTHY_WAIT
        return await self._walker.walk(
            _QUICK.format(wait) + self._journey,
            site(self._shop.url),
            decorator="import re\nimport secrets\n"
            '@journey(site="shop", owner="tests", params={"product": "Mug"})',
            params={"product": "Mug"},
            timeout=60.0,
        )

    async def passing(self, count: int) -> list[str]:
        """Walk so many passes; return every line that one of them would have had."""
        told = []
        for _ in range(count):
            walked = await self.walk()
            assert walked.report.error_type is None, walked.report.error
            outline = walked.report.outline
            if len(self.passes) >= 5:
                told += [one.line for one in compare(outline, self.passes).changes]
            self.passes.insert(0, outline)
        return told

    async def failing(self, fault: Fault) -> list[str]:
        """Break the shop, and return the lines of the walk that failed on it."""
        walked = await self.walk(fault)
        owners = {ErrorType.ASSERTION, ErrorType.TIMEOUT, ErrorType.HTTP_STATUS}
        assert walked.report.error_type in owners, (fault, walked.report)
        return [one.line for one in compare(walked.report.outline, self.passes).changes]


def named(told: dict[Fault, list[str]]) -> tuple[list[str], str]:
    """Return the faults whose first line names them, and all of it for who reads a failure."""
    right = [fault for fault, lines in told.items() if lines and CAUSES[fault] in lines[0]]
    whole = "\n".join(f"{fault}:\n  " + "\n  ".join(lines) for fault, lines in told.items())
    return right, whole


@asynccontextmanager
async def broken_at_will(name: str, folder: Path) -> AsyncIterator[Campaign]:
    """A shop, its proxy, and workers: in that order, for workers take no stranger's children."""
    shops = {"demo": (DemoShop, DEMO, DEMO_JOURNEY), "oscar": (OscarShop, OSCAR, OSCAR_JOURNEY)}
    kind, options, journey = shops[name]
    journeys = folder / "journeys"
    journeys.mkdir()
    async with kind() as real, PlantedShop(real.url, **options) as shop, Walker(journeys) as walker:
        yield Campaign(walker, shop, journey, _BROKEN_WAIT[name])


async def test_the_demo_shop_broken_in_some_ways(tmp_path: Path) -> None:
    """The first line names the cause, and a shop that changes as shops do brings none."""
    faults: tuple[Fault, ...] = ("script", "moved", "missing")
    async with broken_at_will("demo", tmp_path) as campaign:
        assert await campaign.passing(6) == []
        told = {fault: await campaign.failing(fault) for fault in faults}
    right, whole = named(told)
    assert right == list(faults), whole


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["demo", "oscar"])
async def test_ten_faults(tmp_path: Path, name: str) -> None:
    """Of ten faults, planted one at a time, the first line names nine at least."""
    async with broken_at_will(name, tmp_path) as campaign:
        await campaign.passing(5)
        told = {fault: await campaign.failing(fault) for fault in get_args(Fault) if fault}
    right, whole = named(told)
    print(f"{name}: {len(right)} of {len(told)}\n{whole}")  # noqa: T201 - the figures
    assert len(right) >= 9, whole


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["demo", "oscar"])
async def test_fifty_healthy_passes(tmp_path: Path, name: str) -> None:
    """A shop with other prices, recommendations, variants and ids each time brings no line."""
    async with broken_at_will(name, tmp_path) as campaign:
        assert await campaign.passing(50) == []
