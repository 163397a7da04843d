"""What a hostile page, or whoever writes to the agent, stores is text on its pages, nothing else.

In every field of every document that a page is drawn from, in a real browser.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from agent.browsers.find import require_browser
from tests.gallery.scenes import SCENES
from tests.gallery.serving import TOKEN, Stage, staged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKUP = (
    "'\"></title></script></textarea></style>--><script>window.hit=1</script>"
    "<img src=x onerror=window.hit=1><svg onload=window.hit=1><style>*{display:none}</style>"
    '<base href="//evil.example/"><link rel=stylesheet href="//evil.example/x.css">'
    '<meta http-equiv=refresh content="0;url=//evil.example/"><iframe src="//evil.example/">'
    '</iframe><form action="//evil.example/"><button autofocus onfocus=window.hit=1>x</button>'
    "</form>{{ 7 * 7 }}{% raw %}\0\x1b[2J\u202e &lt;script&gt;"
)
ATTRIBUTE = "x' \" onfocus=window.hit=1 autofocus style=display:none data-fragment id=title ` ="
ADDRESS = "javascript:window.hit=1//https://evil.example/"
BLANK_ADDRESS = " \tjava\nscript:window.hit=1"
PAYLOADS = {
    "markup": MARKUP,
    "attribute": ATTRIBUTE,
    "address": ADDRESS,
    "blank address": BLANK_ADDRESS,
    "data": "data:text/html,<script>window.hit=1</script>",
    "no host": "//evil.example/x",
}
HARMLESS = {name: re.sub(r"[^\n]+", "nothing", text) for name, text in PAYLOADS.items()}
"""Of as many lines."""
KEPT = {
    *("result", "state", "kind", "bar", "status", "mode", "cause", "ended_by", "history"),
    *("screenshot", "trace", "links", "trigger", "verdict"),
}
"""Words of the agent's own, and addresses that it makes."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
BARS = {"pass", "flaky", "fail", "not_measured", "suspended", "unknown"}
SKELETON = """() => [...document.querySelectorAll("*")].map(
    one => [one.tagName, ...[...one.attributes].map(attribute => attribute.name).sort()].join(" "))
"""
FOUND = """() => ({
    hit: window.hit,
    handlers: [...document.querySelectorAll("*")].filter(
        one => [...one.attributes].some(attribute => attribute.name.startsWith("on"))).length,
    addresses: [...document.querySelectorAll("[href], [src], [action]")].map(
        one => new URL(one.getAttribute("href") ?? one.getAttribute("src")
                       ?? one.getAttribute("action"), document.baseURI).href),
})"""


def poisoned(value: Any, payload: str, key: str = "") -> Any:
    """Return a document with a payload in the place of each text that somebody else may write."""
    if key in KEPT:
        return value
    if isinstance(value, dict):
        return {name: poisoned(one, payload, name) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, payload, key) for one in value]
    if not isinstance(value, str) or not value or value in BARS or MOMENT.fullmatch(value):
        return value
    return payload


class Looker:
    """Opens pages of scenes that were tampered with."""

    def __init__(self, stage: Stage, url: str, page: Page) -> None:
        self.stage = stage
        self.url = url
        self.page = page
        self.asked: list[str] = []
        self.said: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda line: self.said.append(line.text))
        page.on("dialog", lambda dialog: self.said.append(dialog.message))

    def play(self, scene: Any, payload: str) -> None:
        """Have a scene answered with a payload in each of its texts."""
        made = copy.copy(scene)
        for part in ("overview", "journeys", "runs", "incidents", "gates"):
            object.__setattr__(made, part, poisoned(getattr(scene, part), payload))
        self.stage.scene = made

    async def open(self, path: str) -> list[str]:
        """Open a page; return its elements and their attributes by name."""
        answer = await self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status in {200, 403, 404}, (path, await answer.text())
        return await self.skeleton()

    async def skeleton(self) -> list[str]:
        """The elements of the page, and their attributes by name."""
        return list(await self.page.evaluate(SKELETON))

    async def check(self, where: str) -> None:
        """Nothing of a payload is anything but text."""
        found = await self.page.evaluate(FOUND)
        assert found["hit"] is None, where
        assert found["handlers"] == 0, where
        own = urlsplit(self.url).netloc
        others = [one for one in found["addresses"] if urlsplit(one).netloc != own]
        assert others == [], where
        assert {urlsplit(one).scheme for one in found["addresses"]} == {"http"}, where
        assert [one for one in self.asked if urlsplit(one).netloc != own] == [], where
        status = "the server responded with a status of"
        assert [line for line in self.said if status not in line] == [], where


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def looker() -> AsyncIterator[Looker]:
    """Somebody who signed in, so that all that can be done is shown as well."""
    async with async_playwright() as playwright, staged() as (stage, url):
        browser = await playwright.chromium.launch(
            executable_path=str(require_browser()), args=["--no-sandbox"]
        )
        page = await browser.new_page()
        await page.goto(f"{url}/sign-in?next=/sign-in")
        stage.scene = SCENES[0]
        await page.get_by_label("Token").fill(TOKEN)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{url}/")
        yield Looker(stage, url, page)
        await browser.close()


async def test_stored_text_is_text(looker) -> None:
    """On every page in every state, whatever payload stands in all of its fields: the page has the
    very elements and attributes that it has with a harmless word, no script ran, nothing was asked
    of another host, no link leads to one or runs anything, and the browser had nothing to block."""
    for scene in SCENES:
        plain: dict[str, list[str]] = {}
        for name, payload in PAYLOADS.items():
            harmless = HARMLESS[name]
            if harmless not in plain:
                looker.play(scene, harmless)
                plain[harmless] = await looker.open(scene.path)
            looker.play(scene, payload)
            assert await looker.open(scene.path) == plain[harmless], (scene.name, name)
            await looker.check(f"{scene.name}, {name}")


async def test_what_the_script_puts_in_place_is_text_too(looker) -> None:
    """A page that was harmless when it was opened."""
    scene = next(one for one in SCENES if one.path.startswith("/runs/"))
    show = "() => document.dispatchEvent(new Event('visibilitychange'))"
    for name, payload in PAYLOADS.items():
        looker.play(scene, HARMLESS[name])
        plain = await looker.open(scene.path)
        looker.play(scene, payload)
        await looker.page.evaluate(show)
        shown = payload.split("\n")[0].strip()[:12]
        arrived = "text => document.getElementById('title').textContent.includes(text)"
        await looker.page.wait_for_function(arrived, arg=shown, timeout=60_000)
        assert await looker.skeleton() == plain, name
        await looker.check(name)


async def test_what_an_address_says_is_text(looker) -> None:
    """On the pages that say that something isn't there, and on that of signing in."""
    for name, payload in PAYLOADS.items():
        given = quote(payload, safe="")
        for path in (f"/journeys/{given}", f"/runs/{given}", f"/nothing/{given}"):
            plain = await looker.open(path.replace(given, "nothing"))
            assert await looker.open(path) == plain, (path, name)
            await looker.check(path)
        path = f"/sign-in?link={given}&next={given}"
        plain = await looker.open("/sign-in?link=nothing&next=nothing")
        assert await looker.open(path) == plain, name
        await looker.check(path)
