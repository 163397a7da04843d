"""The agent's pages as people have them at 3 a.m.: from the link to the live run, and hostile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright, expect

from agent.browsers.find import require_browser
from tests.support.daemon import NEVER, Daemon, Home
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

HIT = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
SITE = """<!doctype html><title>Title TEXT</title><h1>Heading TEXT</h1>
<script>
console.error(`Console ${decodeURIComponent("TEXT_ENCODED")}`);
fetch("/api/TEXT_ENCODED");
setTimeout(() => { throw new Error(`Thrown ${decodeURIComponent("TEXT_ENCODED")}`); });
</script>"""
STEPS = """
async with run.step("First"):
    await run.page.goto("/")
async with run.step("Second"):
    while not os.path.exists(os.environ["HOME"] + "/seen"):
        await asyncio.sleep(0.1)
async with run.step("Third"):
    await asyncio.sleep(0.1)
"""
FAILS = f"""
async with run.step("Step {HIT}"):
    await run.page.goto("/")
    await expect(run.page.get_by_role("heading")).to_have_text("fine", timeout=1000)
"""
FOUND = """() => ({
    hit: window.hit ?? 0,
    scripts: document.scripts.length,
    pictures: [...document.images].filter(one => one.getAttribute("src") === "x").length,
    handlers: [...document.querySelectorAll("*")].filter(
        one => [...one.attributes].some(attribute => attribute.name.startsWith("on"))).length,
})"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        yield launched
        await launched.close()


@pytest.fixture
async def hostile(tmp_path) -> AsyncIterator[Home]:
    """An agent that walks a site which wants to run something on the agent's pages."""
    encoded = "%3Cimg%20src%3Dx%20onerror%3Dwindow.hit%3D1%3E"
    body = SITE.replace("TEXT_ENCODED", encoded).replace("TEXT", HIT.replace("<", "&lt;"))
    async with Origin(pages={"/": body}) as origin:
        home = Home(tmp_path / "home", {"shop": origin.url})
        home.environment["HOME"] = str(home.path)
        home.configure(
            schedule={"every": "8s", "timeout": "6s", "confirm": False},
            journey__steps={"every": NEVER, "timeout": "2m"},
        )
        home.journey(
            "hostile", FAILS, f'site="shop", owner="Owner {HIT}", runbook="https://x.test/{HIT}"'
        )
        home.journey("steps", STEPS)
        yield home


async def shown(page: Page, address: str, *texts: str) -> None:
    """Open a page; each of the texts stands on it as text, and nothing of them is more."""
    await page.goto(address)
    for text in texts:
        await expect(page.locator("main")).to_contain_text(text)
    found = await page.evaluate(FOUND)
    assert found == {"hit": 0, "scripts": 1, "pictures": 0, "handlers": 0}, address


async def link(home: Home) -> str:
    """Ask for a link as a person does, and follow it."""
    told = await home.footfall("status", "--open", "--json")
    assert told.code == 0, told
    return str(json.loads(told.out)["link"])


async def test_from_the_link_to_the_live_run(hostile, browser) -> None:
    """`status --open` signs in. What a site and an author write is text on every page. Who is
    signed in pauses by a form, and runs a journey now, whose steps show as they happen until it
    has ended; the session outlives a restart, and no open page holds the end up."""
    page = await browser.new_page()
    url = f"http://127.0.0.1:{hostile.port}"
    async with Daemon(hostile) as daemon:
        await daemon.started()
        assert (await hostile.footfall("status", "--open", "--watch")).code == 2
        await page.goto(await link(hostile))
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{url}/")
        run = await daemon.finished("hostile", "fail")
        step, error = f"Step {HIT}", f"Heading {HIT}"
        await shown(page, f"{url}/", error, step, f"Owner {HIT}")
        await shown(page, f"{url}/journeys/hostile", error, step, f"Owner {HIT}")
        told = (error, step, "Console <img", "Thrown <img")
        await shown(page, f"{url}/runs/{run['run_id']}", *told)
        await shown(page, f"{url}/incidents")
        await paused(page, url)
        await live(page, url, hostile.path / "seen")
        assert await daemon.terminate() == 0
    async with Daemon(hostile) as daemon:
        await daemon.started()
        await page.goto(f"{url}/journeys/steps")
        await expect(page.get_by_role("button", name="Run it now")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url(f"{url}/sign-in")
        await page.goto(f"{url}/journeys/steps")
        await expect(page.get_by_role("button", name="Run it now")).to_have_count(0)


async def paused(page: Page, url: str) -> None:
    await page.goto(f"{url}/journeys/hostile")
    await page.get_by_text("Pause hostile").click()
    await page.get_by_label("Why").fill(f"Reason {HIT}")
    await page.get_by_label("Who").fill(f"Anna {HIT}")
    await page.get_by_role("button", name="Pause", exact=True).click()
    await page.wait_for_url(f"{url}/journeys/hostile")
    await shown(page, f"{url}/journeys/hostile", f"Reason {HIT}", f"Anna {HIT}")
    await shown(page, f"{url}/", f"Reason {HIT}", f"Anna {HIT}")


async def live(page: Page, url: str, seen: Path) -> None:
    loads: list[str] = []
    await page.goto(f"{url}/journeys/steps")
    await page.get_by_role("button", name="Run it now").click()
    await page.wait_for_url(lambda address: urlsplit(address).path.startswith("/runs/"))
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    for step in ("First", "Second"):
        await expect(page.locator("main")).to_contain_text(step, timeout=60_000)
    await expect(page.locator("main")).not_to_contain_text("Third")
    seen.touch()  # noqa: ASYNC240 - an instant
    await expect(page.locator("main")).to_contain_text("Third", timeout=60_000)
    await expect(page).to_have_title("steps pass · Footfall", timeout=60_000)
    assert loads == []
