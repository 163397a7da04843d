"""Playwright's inspector around a walk: where it stops, and that nothing else ends the walk."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.browsers.find import find_browser, require_browser
from agent.core.errors import ErrorType
from tests.support.origin import Origin
from tests.support.walking import Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

RESUME = """
from contextlib import suppress

import psutil
from playwright.async_api import Error

debugger = run.context.debugger

def windows():
    found = 0
    for one in psutil.Process().children(recursive=True):
        # A process that ended since it was listed is no window.
        with suppress(psutil.Error):
            found += "--app=" in " ".join(one.cmdline())
    return found

async def person():
    while True:
        if (details := debugger.paused_details) is not None:
            line = details["location"]["line"] if details.get("location") else 0
            seen = windows()
            run.log.info("paused", line=line, windows=seen)
            if seen or not run.params["screen"]:
                # The walk may have gone on since its stop was read.
                with suppress(Error):
                    await debugger.resume()
        await asyncio.sleep(0.2)

resuming = asyncio.create_task(person())
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def origin() -> AsyncIterator[Origin]:
    async with Origin(pages={"/": "<title>Home</title><button>Buy</button>"}) as serving:
        yield serving


@pytest.fixture(scope="module")
def screen() -> Iterator[bool]:
    """A screen that nobody looks at, where there can be one."""
    server, browser = shutil.which("Xvfb"), find_browser(headed=True)
    if server is None or browser is None:
        yield False
        return
    command = [server, "-displayfd", "1", "-nolisten", "tcp"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("DISPLAY", f":{running.stdout.readline().decode().strip()}")
        yield True
        running.terminate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inspected(screen: bool) -> AsyncIterator[Walker]:
    """A worker under an inspector.

    Without a screen it stops alike, since the driver takes its browser for one with a window, but
    the inspector's own window isn't seen.
    """
    # Its path is short: a browser with a window has a socket below it.
    with tempfile.TemporaryDirectory(prefix="ff-") as home:
        folder = Path(home, "journeys")
        folder.mkdir()  # noqa: ASYNC240 - nothing else waits
        walker = Walker(folder, str(require_browser(headed=True)) if screen else "")
        told = replace(walker.spawn.configure, headless=False, inspected=True)
        walker.spawn = replace(walker.spawn, configure=told)
        walker.pool.replace_spawn(walker.spawn)
        async with walker:
            yield walker


async def test_where_it_stops(inspected: Walker, origin: Origin, screen: bool) -> None:
    """At the first call and at the line that failed, each with the inspector open."""
    source = (
        f'{RESUME}\nawait run.page.goto("/")\nawait run.page.get_by_text("Buy").click()\n'
        'assert 1 == 2, "no good"'
    )
    walked = await inspected.walk(source, site(origin.url), timeout=60.0, params={"screen": screen})
    assert walked.report.error_type is ErrorType.ASSERTION, walked.report.error
    text = (inspected.folder / walked.order.journey.file).read_text().splitlines()
    paused = [fields for _, event, fields in walked.heard.logs if event == "paused"]
    stopped = [text[one["line"] - 1].strip() for one in paused if one["windows"] or not screen]
    assert list(dict.fromkeys(stopped)) == [
        'await run.page.goto("/")',
        'assert 1 == 2, "no good"',
    ]
    [told] = [fields for _, event, fields in walked.heard.logs if event.startswith("stopped at")]
    assert told["why"] == "no good"
