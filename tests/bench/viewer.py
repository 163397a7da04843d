"""Looks at the heavy page, as ``viewer.py SIDE URL EXECUTABLE``; works off lines of its input.

``open`` starts a browser, ``cold`` and ``second`` look at the page and at the next one,
``close`` ends the browser. Each is answered with a line: the wall seconds that it took.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from playwright.async_api import expect

from agent.core.model import Cadence, Journey, Site
from agent.core.redact import Redactor
from agent.protocol.messages import Walk
from agent.worker.browser.launch import Launcher, LaunchOptions, close, driver, launch
from agent.worker.page_setup import PageSetup
from agent.worker.tagging.identity import Identity

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright

BARE, PLAIN, LEAST, TAGGED = "bare", "plain", "least", "tagged"
"""Playwright alone; the agent's setup without the tagger; the least that tagging can be, which
is to hold each request and let it go on with one header more; the setup as journeys have it."""


async def _page(side: str, url: str, browser: Browser, playwright: Playwright) -> Page:
    if side == BARE:
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
    identity = Identity("bench", "1" * 32, "2" * 32, "X-Synthetic-Journey", lambda: "3" * 16)
    setup = PageSetup(walk, identity, cast("Any", link))
    if side == PLAIN:
        setup.tagger.attach = _nothing  # type: ignore[method-assign]
    if side == LEAST:
        setup.tagger.attach = partial(_least, url)  # type: ignore[method-assign]
    launcher = Launcher(playwright, LaunchOptions(""), "")
    return (await setup.open(browser, launcher)).page


async def _nothing(_: Browser) -> None:
    pass


async def _least(url: str, browser: Browser) -> None:
    session = await browser.new_browser_cdp_session()
    pending: set[asyncio.Task[Any]] = set()

    def go_on(event: dict[str, Any]) -> None:
        headers = {**event["request"]["headers"], "X-Synthetic-Journey": "bench"}
        answer = {
            "requestId": event["requestId"],
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
        }
        task = asyncio.ensure_future(session.send("Fetch.continueRequest", answer))
        pending.add(task)
        task.add_done_callback(pending.discard)

    session.on("Fetch.requestPaused", go_on)
    await session.send("Fetch.enable", {"patterns": [{"urlPattern": f"{url}/*"}]})


async def _main(side: str, url: str, executable: str) -> None:
    loop = asyncio.get_running_loop()
    async with driver() as playwright:
        while await loop.run_in_executor(None, sys.stdin.readline):  # open
            async with AsyncExitStack() as stack:
                browser = await launch(playwright, LaunchOptions(executable))
                stack.push_async_callback(close, browser)
                page = await _page(side, url, browser, playwright)
                _say(0.0)
                for step in ("cold", "second"):
                    await loop.run_in_executor(None, sys.stdin.readline)
                    since = time.perf_counter()
                    if step == "cold":
                        await page.goto("/bench")
                    else:
                        await page.get_by_role("link", name="Second page").click()
                        await page.wait_for_url("**/second")
                    await expect(page.get_by_test_id("bench-done")).to_have_text("done")
                    _say(time.perf_counter() - since)
                await loop.run_in_executor(None, sys.stdin.readline)  # close
            _say(0.0)


def _say(seconds: float) -> None:
    sys.stdout.write(f"{seconds}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
