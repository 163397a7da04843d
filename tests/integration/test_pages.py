"""The pages in a real browser, in every state they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from agent.browsers.find import require_browser
from tests.gallery.scenes import SCENES
from tests.gallery.serving import TOKEN, Stage, staged
from tests.support import axe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

DARK_ON_A_PHONE = {
    "mixed",
    "two-hundred",
    "journey-failing",
    "run-fail",
    "incidents",
    "paused",
    "gate-fail",
}
"""Scenes that between them have all there is to see."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage() -> AsyncIterator[tuple[Stage, str, Browser]]:
    """The pages, their address, and Chromium."""
    async with async_playwright() as playwright, staged() as (played, url):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        yield played, url, browser
        await browser.close()


async def opened(browser: Browser, said: list[str], **how: Any) -> Page:
    """A new page; what the browser has to say of it goes into ``said``."""
    page = await browser.new_page(reduced_motion="reduce", **how)
    page.on("console", lambda line: said.append(line.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return page


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
async def test_nobody_is_kept_out(stage, scheme, width) -> None:
    """In every state, on a desk and, dark, on a phone: axe-core finds no violation, the browser
    refuses nothing that a page asks for, and nothing is wider than the screen."""
    played, url, browser = stage
    said: list[str] = []
    found: list[str] = []
    page = await opened(
        browser, said, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    for scene in SCENES:
        played.scene = scene
        answer = await page.goto(url + scene.path)
        assert answer is not None
        assert answer.status == (404 if scene.name == "not-found" else 200), scene.name
        if width > 1000 or scene.name in DARK_ON_A_PHONE:
            found += [f"{scene.name}: {one}" for one in await axe.violations(page)]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{scene.name} is {wide} px wide")
    await page.close()
    assert found == []
    missing = "the server responded with a status of 404"
    assert [line for line in said if missing not in line] == []


async def test_who_signs_in_is_not_kept_out_of_forms(stage) -> None:
    """The page to sign in and the forms that it opens, on a phone: no violation, and what is typed
    arrives."""
    played, url, browser = stage
    said: list[str] = []
    found: list[str] = []
    page = await opened(browser, said, viewport={"width": 360, "height": 740})
    scenes = {scene.name: scene for scene in SCENES}
    played.scene = scenes["mixed"]
    await page.goto(f"{url}/sign-in")
    found += await axe.violations(page)
    await page.keyboard.type(TOKEN)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/")
    for name in ("mixed", "journey-failing", "incident-closed"):
        played.scene = scenes[name]
        await page.goto(url + scenes[name].path)
        await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found += [f"{name}: {one}" for one in await axe.violations(page)]
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, name
    await page.get_by_label("Add a note").fill("It is the\ncache.")
    await page.get_by_label("Who").fill("anna")
    await page.get_by_role("button", name="Add it").click()
    await page.wait_for_url(f"{url}/incidents/11")
    assert played.control.verbs[-1] == ("note", 11, {"text": "It is the\ncache.", "who": "anna"})
    await page.close()
    assert found == []
    assert said == []


async def test_by_keyboard_and_without_script(stage) -> None:
    """The first key leads past the top; every link and button can be reached, is seen to be, and
    leads where it says. None of it takes a script."""
    played, url, browser = stage
    played.scene = next(scene for scene in SCENES if scene.name == "mixed")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(url)
    reached = []
    for _ in range(80):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if await focused.count() == 0:
            break
        style = "one => [getComputedStyle(one).outlineStyle, one.getBoundingClientRect().top]"
        outline, top = await focused.evaluate(style)
        assert outline != "none"
        assert top >= 0
        reached.append(await focused.get_attribute("href"))
    assert reached[0] == "#main"
    links = await page.locator("a[href]").count()
    assert len(reached) >= links
    await page.get_by_role("link", name="Skip to the content").focus()
    await page.keyboard.press("Enter")
    assert await page.locator("main:focus").count() == 1
    await page.get_by_role("link", name="Incidents").click()
    assert await page.get_by_role("heading", level=1).inner_text() == "No incident is open"
    await context.close()


async def test_on_paper(stage) -> None:
    """A reader of the dark prints ink on white, without what only a screen needs."""
    played, url, browser = stage
    played.scene = next(scene for scene in SCENES if scene.name == "run-fail")
    page = await browser.new_page(color_scheme="dark")
    await page.goto(url + played.scene.path)
    await page.emulate_media(media="print", color_scheme="dark")
    ink, nav = await page.evaluate(
        "[getComputedStyle(document.body).color,"
        " getComputedStyle(document.querySelector('nav')).display]"
    )
    assert (ink, nav) == ("rgb(29, 33, 38)", "none")
    await page.close()
