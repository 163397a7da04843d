"""The next browser is launched ahead where attempts come close to each other, and not kept long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from agent.worker.browser.launch import KEPT, Launcher, LaunchOptions
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from playwright.async_api import Browser


class _Browser:
    """A browser that was launched."""

    def __init__(self) -> None:
        self.closed = False

    def is_connected(self) -> bool:
        return not self.closed

    async def close(self) -> None:
        self.closed = True


class _Launches:
    """Stands for Playwright, and keeps what it launched."""

    def __init__(self) -> None:
        self.made: list[_Browser] = []
        self.chromium = SimpleNamespace(launch=self._launch)

    async def _launch(self, **_: object) -> Browser:
        self.made.append(_Browser())
        return cast("Any", self.made[-1])


async def _others() -> None:
    """Wait until every other task is over."""
    await asyncio.gather(
        *(one for one in asyncio.all_tasks() if one is not asyncio.current_task()),
        return_exceptions=True,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(waits=True)


@pytest.fixture
def launches() -> _Launches:
    return _Launches()


@pytest.fixture
async def launcher(clock: ManualClock, launches: _Launches) -> Launcher:
    return Launcher(cast("Any", launches), LaunchOptions("chromium"), "", clock)


async def test_taken_soon(launcher: Launcher, launches: _Launches, clock: ManualClock) -> None:
    """Whoever comes soon gets the browser that waits, and nobody closes it under the attempt."""
    launcher.ahead()
    await clock.sleeping(KEPT)
    clock.advance(KEPT - 1)
    browser = await launcher.take()
    clock.advance(KEPT)
    await _others()
    assert [cast("Any", browser)] == launches.made
    assert browser.is_connected()


async def test_taken_late(launcher: Launcher, launches: _Launches, clock: ManualClock) -> None:
    """One that nobody took is closed, and after a long pause none is launched ahead again."""
    launcher.ahead()
    await clock.sleeping(KEPT)
    clock.advance(KEPT + 1)
    await _others()
    assert launches.made[0].closed
    assert (await launcher.take()).is_connected()
    launcher.ahead()
    await _others()
    assert len(launches.made) == 2
    clock.advance(1)
    await launcher.take()
    launcher.ahead()
    await clock.sleeping(KEPT)
    assert len(launches.made) == 4
