"""The pages' script in a real browser: what it puts in place, and when it looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright, expect

from agent.browsers.find import require_browser
from agent.server.answer_headers import headers_of
from tests.support.api import Served, journey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

_TICK = 1_000
"""Milliseconds of the page's time that pass at once."""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title id="title" data-fragment>{title}</title>
<link id="icon" data-fragment rel="icon" href="/static/icon-{icon}.svg">
<script src="/static/live.js" defer></script></head><body>
<div id="runs" data-fragment><p>{runs}</p>
<details id="more"><summary>More</summary>
<a href="/x">one</a> <a href="/y">other</a></details></div>
<form id="asked" data-fragment><input name="reason"><b>{runs}</b></form>
<p id="fixed">{runs}</p></body></html>"""


class Agent:
    """A page of the agent's whose content a test decides, with real streams and script."""

    def __init__(self, served: Served, page: Page) -> None:
        self.served = served
        self.page = page
        self.told = {"title": "ok", "icon": "tick", "runs": "first"}
        self.looks = 0
        self.status = 200

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

    async def until_listening(self, count: int) -> None:
        """Wait until so many streams are open."""
        await expect_soon(lambda: len(self.served.streams._streams) == count)

    async def settle(self) -> int:
        """Let what is planned be done; return how many looks that took."""
        before = self.looks
        await self.run(9_000)
        return self.looks - before

    async def run(self, milliseconds: int) -> None:
        """Have the page's time pass, and answers come meanwhile."""
        await pause()
        for _ in range(0, milliseconds, _TICK):
            await self.page.clock.run_for(_TICK)
            await asyncio.sleep(0.02)


async def expect_soon(condition) -> None:
    for _ in range(200):
        if condition():
            return
        await pause()
    raise AssertionError("not within 10 s")


async def pause() -> None:
    await asyncio.sleep(0.05)


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
    agent.served.streams.publish("state", {"what": "down", "journey": "buy"})
    await agent.run(2_000)
    await expect(page.locator("#runs p")).to_have_text("second")
    await expect(page).to_have_title("1 fails")
    assert await page.locator("link#icon").get_attribute("href") == "/static/icon-cross.svg"
    await expect(page.get_by_role("link", name="other")).to_be_focused()
    await expect(page.locator("details")).to_have_attribute("open", "")
    await expect(page.locator("#fixed")).to_have_text("first")

    await page.get_by_role("textbox").fill("because")
    agent.told["runs"] = "third"
    agent.served.streams.publish("run", {"journey": "buy", "run_id": "1", "state": "ended"})
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
        streams.publish("run", {"journey": "buy", "run_id": str(number), "state": "ended"})
    assert await agent.settle() == 1
    for number in range(50):
        streams.publish("step", {"journey": "buy", "run_id": "1", "step": str(number)})
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
    agent.served.streams.publish("step", {"journey": "buy", "run_id": "0a", "step": "Pay"})
    await agent.run(1_100)
    await expect(agent.page.locator("#runs p")).to_have_text("Pay")
    agent.served.streams.publish("step", {"journey": "buy", "run_id": "0b", "step": "Pay"})
    assert await agent.settle() == 0


async def test_a_session_that_is_over_leads_to_the_way_in(agent) -> None:
    """And not to a page that stands still."""
    await agent.open()
    await agent.settle()
    agent.status = 401
    agent.told["title"] = "Sign in"
    agent.served.streams.publish("state", {"what": "reload"})
    await agent.run(2_000)
    await expect(agent.page).to_have_title("Sign in")
    assert await agent.page.locator("#fixed").inner_text() == "first"
