"""Whose code blocks the loop is told by the innermost line of the journeys folder."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from agent.worker import pipe
from agent.worker.browser.raised import AuthorCode
from agent.worker.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType


@pytest.fixture
def watchdog(tmp_path: Path) -> Iterator[Watchdog]:
    loop = asyncio.new_event_loop()
    yield Watchdog(loop, AuthorCode(str(tmp_path / "journeys")), lambda _: None)
    loop.close()


def stack(name: str, call: Callable[[], FrameType]) -> FrameType:
    """The frame that ``call`` returns, called from line 2 of a file of this name."""
    scope: dict[str, object] = {"call": call}
    exec(compile("def walk():\n    return call()\n", name, "exec"), scope)
    return scope["walk"]()  # type: ignore[operator]


def test_in_the_journey(watchdog: Watchdog, tmp_path: Path) -> None:
    """A journey that calls something slow elsewhere is named by its own line."""
    name = str(tmp_path / "journeys" / "deep" / "buy.py")
    frame = stack(name, sys._getframe)
    assert watchdog._place(frame) == ("deep/buy.py:2", True)
    frame = stack(name, lambda: stack("/elsewhere/slow.py", sys._getframe))
    assert watchdog._place(frame) == ("deep/buy.py:2", True)


def test_the_innermost(watchdog: Watchdog, tmp_path: Path) -> None:
    """Of two lines of the folder the one that was called last is named."""
    outer, inner = (str(tmp_path / "journeys" / name) for name in ("buy.py", "helper.py"))
    assert watchdog._place(stack(outer, lambda: stack(inner, sys._getframe))) == (
        "helper.py:2",
        True,
    )


def test_elsewhere(watchdog: Watchdog, tmp_path: Path) -> None:
    """A standstill without the journey is not the journey's, not even in a folder like it."""
    name = str(tmp_path / "journeys_old" / "buy.py")
    assert watchdog._place(stack(name, sys._getframe)) == (f"{name}:2", False)
    assert watchdog._place(None) == ("unknown", False)


def test_a_slow_supervisor_is_not_the_journeys(watchdog: Watchdog, tmp_path: Path) -> None:
    """A journey that waits for `run.secret` blocks the loop by no fault of its own."""
    name = str(tmp_path / "journeys" / "buy.py")
    frame = stack(name, lambda: stack(pipe.__file__, sys._getframe))
    assert watchdog._place(frame) == (f"{pipe.__file__}:2", False)
