"""Starting the driver and a fresh browser for each attempt, both so that they die with us.

Playwright starts browsers in a session of their own, so a kill of the worker's process
group misses them. Both are therefore started through ``guard``, which asks the kernel for
death with the parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from playwright._impl._driver import compute_driver_executable
from playwright.async_api import Error, async_playwright

from agent.worker.browser.faults import LaunchFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Playwright

    from agent.core.clock import Clock

GUARD = Path(__file__).with_name("guard")
LAUNCH_TIMEOUT = 15.0
"""Seconds that a browser may take to start before it counts as not starting."""
KEPT = 3.0
"""Seconds that a browser which was launched ahead waits for its attempt."""

_SAID = re.compile(r"^\[pid=\d+\]\[err\] (.+)$", re.MULTILINE)
"""What the browser itself wrote."""
_SAID_LINES = 3
_EXIT = re.compile(r"<process did exit: exitCode=(\d+)")

_ARGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """Which browser to start, and how."""

    executable: str
    args: tuple[str, ...] = ()
    headless: bool = True


def node_executable() -> str:
    """Return the program that runs Playwright's driver: itself, not the guard before it."""
    node = str(compute_driver_executable()[0])
    return os.environ["GUARDED_NODE"] if node == str(GUARD) else node


@asynccontextmanager
async def driver() -> AsyncIterator[Playwright]:
    """Start Playwright's driver for as long as the worker lives."""
    if GUARD.exists() and os.environ.get("PLAYWRIGHT_NODEJS_PATH") != str(GUARD):
        os.environ["GUARDED_NODE"] = node_executable()
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(GUARD)
    # A picture shows what is on the screen; it doesn't wait for a font that never comes.
    os.environ["PW_TEST_SCREENSHOT_NO_FONTS_READY"] = "1"
    async with async_playwright() as playwright:
        yield playwright


async def launch(playwright: Playwright, options: LaunchOptions, user_agent: str = "") -> Browser:
    """Start a fresh browser. ``user_agent`` replaces the browser's own everywhere.

    Raises:
        LaunchFailed: it did not start in time, or at all.

    """
    args = [*_ARGS, *options.args]
    if needs_no_sandbox():
        args.append("--no-sandbox")
    if user_agent:
        args.append(f"--user-agent={user_agent}")
    try:
        async with asyncio.timeout(LAUNCH_TIMEOUT):
            return await playwright.chromium.launch(
                executable_path=GUARD,
                args=args,
                headless=options.headless,
                env={**os.environ, "GUARDED_BROWSER": options.executable},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
    except TimeoutError:
        raise LaunchFailed(
            f"{options.executable} did not start within {LAUNCH_TIMEOUT:.0f} s"
        ) from None
    except Error as error:
        raise LaunchFailed(f"{options.executable} did not start: {_reason(str(error))}") from error


def keep_open(browser: Browser) -> None:
    """Refuse a journey that closes the browser, which isn't its own: ``close`` closes it."""

    async def refuse(**_: object) -> None:
        raise RuntimeError("the browser belongs to the agent: a journey may close pages, not it")

    browser.close = refuse  # type: ignore[method-assign]


async def close(browser: Browser) -> None:
    """Close a browser, one that is kept open for a journey too."""
    await type(browser).close(browser)


class Launcher:
    """Hands out a fresh browser for each attempt; the next may be launched ahead.

    So a run that is due need not wait for its browser to start. Where attempts are far apart
    none is: it would take up memory until then.
    """

    def __init__(
        self, playwright: Playwright, options: LaunchOptions, user_agent: str, clock: Clock
    ) -> None:
        self.playwright = playwright
        self._driver = psutil.Process().children()
        self._options = options
        self.user_agent = user_agent
        """What its browsers say of themselves."""
        self._next: asyncio.Task[Browser] | None = None
        self._drop: asyncio.Task[None] | None = None
        self._clock = clock
        self._ended = clock.monotonic()
        self._waited = 0.0
        """Seconds for which there was nothing to do before the last attempt."""

    @property
    def alive(self) -> bool:
        """Whether the driver is; Playwright itself goes on calling its browsers connected."""
        try:
            return all(one.status() != psutil.STATUS_ZOMBIE for one in self._driver)
        except psutil.NoSuchProcess:
            return False

    @property
    def driver_pids(self) -> list[int]:
        """The processes of the driver."""
        return [one.pid for one in self._driver]

    def ahead(self) -> None:
        """Launch the next browser now, unless nobody is likely to use it soon.

        A browser that isn't headless would open a window besides.
        """
        self._ended = self._clock.monotonic()
        if self._options.headless and self._next is None and self._waited <= KEPT:
            self._next = asyncio.create_task(self._launch(), name="next browser")
            self._drop = asyncio.create_task(self._drop_later(), name="unused browser")

    async def take(self) -> Browser:
        """Return a browser that nobody has used.

        Raises:
            LaunchFailed: none can be started.

        """
        self._waited = self._clock.monotonic() - self._ended
        waiting, self._next = self._next, None
        if waiting is not None and self._drop is not None:
            self._drop.cancel()
        if waiting is not None:
            # One that died or would not start while nobody needed it says nothing of now.
            with contextlib.suppress(LaunchFailed):
                browser = await waiting
                if browser.is_connected():
                    return browser
        return await self._launch()

    async def _drop_later(self) -> None:
        await self._clock.sleep(KEPT)
        unused, self._next = self._next, None
        if unused is not None:
            with contextlib.suppress(LaunchFailed, Error):
                await (await unused).close()

    async def _launch(self) -> Browser:
        return await launch(self.playwright, self._options, self.user_agent)


def _reason(text: str) -> str:
    """Reduce Playwright's account, flags and all, to what says why: five lines at most."""
    said = dict.fromkeys(_SAID.findall(text))
    code = _EXIT.search(text)
    ended = [f"it exited with {code[1]}"] if code else []
    return "\n".join([text.partition("\n")[0], *list(said)[:_SAID_LINES], *ended])


async def real_user_agent(playwright: Playwright, options: LaunchOptions) -> str:
    """Ask a browser for its own user agent; proves too that one can be started."""
    browser = await launch(playwright, options)
    try:
        session = await browser.new_browser_cdp_session()
        version = await session.send("Browser.getVersion")
        return str(version["userAgent"])
    finally:
        await browser.close()


@functools.cache
def needs_no_sandbox() -> bool:
    """Whether Chromium's own sandbox can't work: as root, or without user namespaces.

    Asked of the kernel itself: container engines forbid namespaces in different ways.
    """
    if os.geteuid() == 0:
        return True
    unshare = shutil.which("unshare")
    if sys.platform != "linux" or unshare is None:
        return False
    asked = subprocess.run([unshare, "--user", "true"], capture_output=True, check=False)  # noqa: S603 - a fixed command
    return asked.returncode != 0
