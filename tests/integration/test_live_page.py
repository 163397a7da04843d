"""The pages' script in a real browser: what it puts in place, and when it looks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error, async_playwright, expect

from agent.browsers.find import require_browser
from agent.server.answer_headers import headers_of
from tests.support.api import Served, journey
from tests.support.daemon import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

_TICK = 1_000
"""Milliseconds of the page's time that pass at once."""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title id="title" data-fragment>{title}</title>
<link id="icon" data-fragment rel="icon" href="/static/icon-{icon}.svg">
<script src="/static/live.js" defer></script></head><body>
<div id="runs" data-fragment{soon}><p>{runs}</p>
<details id="more"><summary>More</summary>
<a href="/x">one</a> <a href="/y">other</a></details></div>
<form id="asked" data-fragment><input name="reason"><b>{runs}</b></form>
<p id="fixed">{runs}</p></body></html>"""

WATCH = """
window.heard = 0;
window.looking = 0;
const Stream = window.EventSource;
window.EventSource = class extends Stream {
    constructor(address) {
        super(address);
        for (const kind of ["run", "state", "step"])
            this.addEventListener(kind, () => { window.heard++; });
    }
};
const ask = window.fetch;
window.fetch = async (...given) => {
    window.looking++;
    try {
        const {ok, status, redirected, text} = await ask(...given).then(
            async answer => ({
                ok: answer.ok, status: answer.status, redirected: answer.redirected,
                text: await answer.text(),
            }));
        return {ok, status, redirected, text: async () => text};
    } finally {
        window.looking--;
    }
};
"""
"""Counts the events that have come, and the looks that go on: for both a test waits, however long
they take, while the page's own clock stands."""


class Agent:
    """A page of the agent's whose content a test decides, with real streams and script."""

    def __init__(self, served: Served, page: Page) -> None:
        self.served = served
        self.page = page
        self.told = {"title": "ok", "icon": "tick", "runs": "first", "soon": ""}
        self.looks = 0
        self.status = 200
        self._told = 0

    async def open(self, path: str = "/") -> None:
        """Open the page and wait until it listens."""

        async def answer(route) -> None:
            self.looks += 1
            headers = {**headers_of("/"), "Content-Type": "text/html; charset=utf-8"}
            body = PAGE.format(**self.told)
            await route.fulfill(status=self.status, headers=headers, body=body)

        await self.page.route(f"{self.served.url}{path}", answer)
        await self.page.goto(self.served.url + path)
        await self.until_listening(1)
        now = await self.page.evaluate("Date.now()")
        await self.page.clock.pause_at(now / 1000 + 600)

    async def tell(self, kind: str, *, heard: bool = True, **data: str) -> None:
        """Say what has happened to whoever listens; ``heard``: this page among them."""
        self.served.streams.publish(kind, data)
        self._told += heard

    async def until_listening(self, count: int) -> None:
        """Wait until so many streams are open."""
        await until(lambda: len(self.served.streams._streams) == count)

    async def settle(self) -> int:
        """Let what is planned be done; return how many looks that took."""
        before = self.looks
        await self.run(9_000)
        return self.looks - before

    async def run(self, milliseconds: int) -> None:
        """Have the page's time pass, and answers come meanwhile."""
        await self.until_so(f"window.heard >= {self._told}")
        for _ in range(0, milliseconds, _TICK):
            await self.page.clock.run_for(_TICK)
            await self.until_so("window.looking === 0")

    async def until_so(self, expression: str) -> None:
        """Wait until it is so on the page."""
        so = False
        async with asyncio.timeout(60):
            while not so:
                await asyncio.sleep(0.02)
                with suppress(Error):  # the page is just being loaded anew
                    so = await self.page.evaluate(expression)


@pytest.fixture
async def agent(tmp_path) -> AsyncIterator[Agent]:
    """One page of a browser whose clock stands still but where a test lets it run."""
    async with (
        Served(tmp_path, journeys=[journey("buy")]) as served,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        page = await browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.add_init_script(WATCH)
        await page.clock.install()
        yield Agent(served, page)
        await browser.close()
        assert faults == []


async def test_what_happens_shows_and_nothing_that_is_in_use_is_lost(agent) -> None:
    """Fragments, title and icon are those of the server after an event, in place; focus and what
    was opened stay, and what somebody types into, or has marked, is left alone until they are
    done. Nothing else is touched."""
    await agent.open()
    page = agent.page
    await agent.settle()
    await page.locator("summary").click()
    await page.get_by_role("link", name="other").focus()
    agent.told |= {"title": "1 fails", "icon": "cross", "runs": "second"}
    await agent.tell("state", what="down", journey="buy")
    await agent.run(2_000)
    await expect(page.locator("#runs p")).to_have_text("second")
    await expect(page).to_have_title("1 fails")
    assert await page.locator("link#icon").get_attribute("href") == "/static/icon-cross.svg"
    await expect(page.get_by_role("link", name="other")).to_be_focused()
    await expect(page.locator("details")).to_have_attribute("open", "")
    await expect(page.locator("#fixed")).to_have_text("first")

    await page.get_by_role("textbox").fill("because")
    agent.told["runs"] = "third"
    await agent.tell("run", journey="buy", run_id="1", state="ended")
    await agent.run(8_000)
    await expect(page.locator("#runs p")).to_have_text("third")
    assert await page.get_by_role("textbox").input_value() == "because"
    await expect(page.locator("#asked b")).to_have_text("second")

    await page.evaluate("getSelection().selectAllChildren(document.querySelector('#runs p'))")
    agent.told["runs"] = "fourth"
    await agent.settle()
    await agent.run(30_000)
    await expect(page.locator("#runs p")).to_have_text("third")
    await page.evaluate("getSelection().removeAllRanges()")
    await agent.run(31_000)
    await expect(page.locator("#runs p")).to_have_text("fourth")


async def test_how_often_it_looks(agent) -> None:
    """Many events at once are one look, and of single steps only a run's own page looks; hidden
    it neither listens nor looks, shown again it does both at once; without a stream a timer has
    it look, and says where the agent can't be had."""
    await agent.open()
    page, streams = agent.page, agent.served.streams
    await agent.settle()
    for number in range(50):
        await agent.tell("run", journey="buy", run_id=str(number), state="ended")
    assert await agent.settle() == 1
    for number in range(50):
        await agent.tell("step", journey="buy", run_id="1", step=str(number))
    assert await agent.settle() == 0

    hide = "hidden => {Object.defineProperty(document, 'hidden', {value: hidden, "
    hide += "configurable: true}); document.dispatchEvent(new Event('visibilitychange'))}"
    await page.evaluate(hide, True)
    await agent.until_listening(0)
    before = agent.looks
    await agent.run(120_000)
    assert agent.looks == before
    await page.evaluate(hide, False)
    await agent.until_listening(1)
    assert await agent.settle() == 1

    streams.end()
    await agent.until_listening(0)
    await agent.settle()
    before = agent.looks
    agent.status = 503
    await agent.run(10_500)
    await expect(page.locator("html[data-stale]")).to_be_attached()
    assert agent.looks > before
    agent.status = 200
    await agent.run(10_500)
    await expect(page.locator("html:not([data-stale])")).to_be_attached()


async def test_a_live_run_shows_its_steps(agent) -> None:
    """Its own, at most once a second; those of other runs don't count."""
    await agent.open("/runs/0a")
    await agent.settle()
    agent.told["runs"] = "Pay"
    await agent.tell("step", journey="buy", run_id="0a", step="Pay")
    await agent.run(1_100)
    await expect(agent.page.locator("#runs p")).to_have_text("Pay")
    await agent.tell("step", heard=False, journey="buy", run_id="0b", step="Pay")
    assert await agent.settle() == 0


async def test_a_session_that_is_over_leads_to_the_way_in(agent) -> None:
    """And not to a page that stands still."""
    await agent.open()
    await agent.settle()
    agent.status = 401
    agent.told["title"] = "Sign in"
    await agent.tell("state", what="reload")
    await agent.run(2_000)
    await expect(agent.page).to_have_title("Sign in")
    assert await agent.page.locator("#fixed").inner_text() == "first"


async def test_a_page_that_waits_for_what_has_no_event_looks_every_other_second(agent) -> None:
    """A verdict that is awaited shows within seconds, though the stream tells nothing; after it
    the page looks as seldom as any."""
    agent.told["soon"] = " data-soon"
    await agent.open("/gates/0a")
    assert await agent.settle() >= 3
    agent.told |= {"soon": "", "runs": "Promote it"}
    await agent.run(3_000)
    await expect(agent.page.locator("#runs p")).to_have_text("Promote it")
    assert await agent.settle() == 0
