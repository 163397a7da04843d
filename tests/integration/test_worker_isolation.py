"""What a journey leaves in its worker doesn't touch the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.origin import Origin
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

GOOD = 'await run.page.goto("/")'


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": "<title>Home</title>"}) as serving:
        yield serving


@pytest.fixture
async def walker(tmp_path: Path) -> AsyncIterator[Walker]:
    folder = tmp_path / "journeys"
    folder.mkdir()
    async with Walker(folder) as walker:
        yield walker


LEAVES_TASKS = """
import asyncio
await run.page.goto("/")
async def on():
    while True:
        await asyncio.sleep(0.01)
        print("still here")
asyncio.create_task(on())
asyncio.ensure_future(asyncio.gather(on(), on()))
"""
LEAVES_STUBBORN = """
import asyncio
await run.page.goto("/")
async def on():
    while True:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            pass
asyncio.create_task(on(), name="stubborn")
"""
LEAVES_THREAD = """
import threading, time
await run.page.goto("/")
threading.Thread(target=time.sleep, args=(60,), name="sleeper", daemon=True).start()
"""
CHANGES_PROCESS = """
import os, signal, sys, tempfile
await run.page.goto("/")
os.chdir(tempfile.mkdtemp())
os.environ["LEFT"] = "1"
os.environ.pop("PATH")
os.umask(0)
signal.signal(signal.SIGTERM, lambda *_: None)
sys.stdout = None
"""
LOOKS = """
import os, signal, sys
assert "LEFT" not in os.environ and "PATH" in os.environ
assert os.umask(0o022) != 0
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
assert sys.stdout is not None
print(os.getcwd())
await run.page.goto("/")
"""


async def test_tasks_end_with_their_walk(walker: Walker, origin: Origin) -> None:
    """Tasks that a journey started and left are cancelled; the worker is as good as before."""
    before = await walker.walk(LOOKS, site(origin.url))
    left = await walker.walk(LEAVES_TASKS, site(origin.url))
    after = await walker.walk(LOOKS, site(origin.url))
    walks = (before, left, after)
    assert [walked.report.error_type for walked in walks] == [None] * 3
    assert len({walked.record.worker for walked in walks}) == 1
    assert "still here" not in after.heard.lines
    assert walker.restarts == []


@pytest.mark.parametrize(
    ("source", "what"), [(LEAVES_STUBBORN, "task stubborn"), (LEAVES_THREAD, "thread sleeper")]
)
async def test_what_will_not_end_costs_the_worker(
    walker: Walker, origin: Origin, source: str, what: str
) -> None:
    """A task that swallows its end, or a thread, is told, and the next journey gets another
    worker; the journey's own result stays what it was."""
    left = await walker.walk(source, site(origin.url))
    assert left.report.error_type is None
    after = await walker.walk(GOOD, site(origin.url))
    assert after.report.error_type is None
    assert after.record.worker != left.record.worker
    assert walker.restarts == ["unfit"]
    (told,) = [fields for _, event, fields in left.heard.logs if event == "journey.left"]
    assert told == {"left": what}


async def test_the_process_is_put_right(walker: Walker, origin: Origin) -> None:
    """Working folder, environment, mask, signal handlers and streams are those of before."""
    before = await walker.walk(LOOKS, site(origin.url))
    changed = await walker.walk(CHANGES_PROCESS, site(origin.url))
    after = await walker.walk(LOOKS, site(origin.url))
    walks = (before, changed, after)
    assert [walked.report.error for walked in walks] == [""] * 3
    assert len({walked.record.worker for walked in walks}) == 1
    assert before.heard.lines == after.heard.lines
