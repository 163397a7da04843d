"""Looks at the heavy page, as ``viewer.py SIDE URL EXECUTABLE``; works off lines of its input.

``open PATH`` starts a browser, ``cold`` and ``second`` look at the page of that path and at the
next one, ``close`` ends the browser. Each is answered with a line of JSON: the wall seconds that
it took, and the LCP and TTFB of what is shown, in seconds. These are read once the time has been
taken, by the same few lines on every side, beside what the agent reads for itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from playwright.async_api import expect

from agent.core.clock import SystemClock
from agent.core.model import Cadence, Journey, Site
from agent.core.redact import Redactor
from agent.protocol.messages import Walk
from agent.worker.browser.launch import Launcher, LaunchOptions, close, driver, launch
from agent.worker.page_setup import PageSetup
from agent.worker.tagging.identity import Identity, Unsigned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser, Page, Playwright

BARE, OPEN, LISTENING, CALLS, ALL = "bare", "open", "listening", "calls", "all"
"""Playwright alone; with the browser's interception on and nothing held, which any way of
tagging pays; the agent's setup without the tagger; the setup as journeys have it; and where
every request is held and signed."""

_VITALS = """() => new Promise(done => {
  const ttfb = performance.getEntriesByType("navigation")[0].responseStart;
  let lcp = 0;
  const see = entries => { for (const one of entries) lcp = one.startTime; };
  const observer = new PerformanceObserver(list => see(list.getEntries()));
  observer.observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => { see(observer.takeRecords()); done([lcp / 1000, ttfb / 1000]); }, 50);
})"""


class _Signed:
    """Signs as fast, and with as many bytes, as a walk whose site is known ahead."""

    _HEADERS = MappingProxyType(
        {"Signature-Agent": "x" * 40, "Signature-Input": "x" * 200, "Signature": "x" * 95}
    )

    def at_hand(self, _url: str) -> Mapping[str, str]:
        return self._HEADERS

    async def of(self, _url: str) -> Mapping[str, str]:
        return self._HEADERS


async def page_of(side: str, url: str, browser: Browser, playwright: Playwright) -> Page:
    """Open a page of one side in a fresh browser."""
    if side == OPEN:
        session = await browser.new_browser_cdp_session()
        await session.send("Fetch.enable", {"patterns": [{"urlPattern": "http://none.invalid/*"}]})
    if side in {BARE, OPEN}:
        return await (await browser.new_context(base_url=url)).new_page()
    journey = Journey(
        name="bench",
        site=Site("bench", url, (url,)),
        file="bench.py",
        line=1,
        cadence=Cadence(60),
        interval=60,
        timeout=30.0,
        grace=3.0,
        confirm=False,
        enabled=True,
    )
    walk = Walk("2" * 32, journey, 1, "1" * 32, "3" * 16, url, "", record_trace=False)
    link = SimpleNamespace(redactor=Redactor(), send=lambda _: None)
    proofs = _Signed() if side == ALL else Unsigned()
    parent = "3" * 16
    identity = Identity("bench", "1" * 32, "2" * 32, "X-Synthetic-Journey", lambda: parent, proofs)
    setup = PageSetup(walk, identity, cast("Any", link), "all" if side == ALL else "calls")
    if side == LISTENING:
        setup.tagger.attach = _nothing  # type: ignore[method-assign]
    launcher = Launcher(playwright, LaunchOptions(""), "", SystemClock())
    return (await setup.open(browser, launcher)).page


async def _nothing(_: Browser) -> None:
    pass


async def _main(side: str, url: str, executable: str) -> None:
    loop = asyncio.get_running_loop()
    async with driver() as playwright:
        while opened := await loop.run_in_executor(None, sys.stdin.readline):
            path = opened.split()[1]
            async with AsyncExitStack() as stack:
                browser = await launch(playwright, LaunchOptions(executable))
                stack.push_async_callback(close, browser)
                page = await page_of(side, url, browser, playwright)
                _say(0.0)
                for step in ("cold", "second"):
                    await loop.run_in_executor(None, sys.stdin.readline)
                    since = time.perf_counter()
                    if step == "cold":
                        await page.goto(path)
                    else:
                        await page.get_by_role("link", name="Second page").click()
                        await page.wait_for_url("**/second")
                    await expect(page.get_by_test_id("bench-done")).to_have_text("done")
                    wall = time.perf_counter() - since
                    _say(wall, *await page.evaluate(_VITALS))
                await loop.run_in_executor(None, sys.stdin.readline)  # close
            _say(0.0)


def _say(*seconds: float) -> None:
    sys.stdout.write(f"{json.dumps(seconds)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
