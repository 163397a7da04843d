"""What most of these tests start from: a folder whose journeys walk the demo shop."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.daemon import Home
from tests.support.service import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from tests.support.demo import DemoShop

LOOK = """
async with run.step("Look around"):
    await run.page.goto("/")
    await expect(run.page.get_by_role("searchbox")).to_be_visible()
"""
"""The body of a journey that only looks."""


@pytest.fixture
def home(tmp_path: Path, shop: DemoShop) -> Home:
    """An agent's folder with the demo shop as its only site, and no journeys yet."""
    return Home(tmp_path / "home", {"shop": shop.url})


@pytest.fixture
def buying(home: Home) -> Home:
    """The same with the shipped journey that buys a mug, every 6 s."""
    shutil.copy(ROOT / "journeys" / "buy_a_mug.py", home.journeys)
    home.configure(journey__buy_a_mug={"every": "6s", "timeout": "4s", "grace": "2s"})
    return home


@pytest.fixture
async def breaking(shop: DemoShop) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Throws the shop's switch; it is mended afterwards."""
    yield shop.throw
    await shop.throw("none")


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    """What a test itself looks for on a page may take its time on a busy machine."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)
