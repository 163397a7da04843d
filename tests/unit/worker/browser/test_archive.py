"""A trace is kept without what is secret, and can still be opened."""

from __future__ import annotations

import hashlib
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from aiohttp import web
from playwright.async_api import BrowserContext, expect

from agent.core.redact import Redactor
from agent.worker.browser.archive import scrub
from tests.support.origin import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser

SECRET = "hunter#2 & wörd/sesame"
ISSUED = ("added-cookie-1", "set-cookie-22", "script-cookie-3", "kept-item-44", "log-in-word-5")
SENT = ("Bearer-token-6", "api-key-77777", "dXNlcjpsb2ct")
PAGE = """
<title>Account</title><link rel=stylesheet href=/style.css>
<form action=/login><input id=user value=before><input id=pass type=password></form><p id=out></p>
<script>document.cookie = "c=script-cookie-3"; localStorage.setItem("k", "kept-item-44")</script>
"""


async def _page(_: web.Request) -> web.Response:
    page = web.Response(text=PAGE, content_type="text/html")
    page.set_cookie("sess", "set-cookie-22")
    return page


async def _echo(request: web.Request) -> web.Response:
    return web.Response(text=await request.text(), content_type="text/html")


async def _style(_: web.Request) -> web.Response:
    return web.Response(text="p { color: teal }", content_type="text/css")


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    pages = {"/": _page, "/echo": _echo, "/style.css": _style}
    async with Origin(pages=pages) as serving:
        yield serving


@pytest.fixture
async def context(browser: Browser, origin: Origin) -> AsyncIterator[BrowserContext]:
    """A context that records, on the page, with all that a session has of its own."""
    context = await browser.new_context(
        base_url=origin.url,
        http_credentials={"username": "user", "password": "log-in-word-5"},
        extra_http_headers={"X-Api-Key": "api-key-77777", "X-Plain": "plain-header"},
    )
    await context.tracing.start(screenshots=True, snapshots=True)
    await context.add_cookies([{"name": "a", "value": "added-cookie-1", "url": origin.url}])
    page = await context.new_page()
    await page.goto("/")
    await page.evaluate(
        "headers => fetch('/echo', {method: 'POST', body: 'posted', headers}).then(a => a.text())",
        {"Authorization": "Bearer-token-6"},
    )
    await context.request.get("/echo", headers={"Authorization": "Bearer-token-6"})
    await context.storage_state()
    yield context
    await context.close()


def source(file: str) -> str:
    """As the author's code knows its files: this one alone is his."""
    return f"token = {SECRET!r}" if file == __file__ else ""


class Archive:
    """A scrubbed archive: its entries as text, and its events."""

    def __init__(self, file: Path) -> None:
        with zipfile.ZipFile(file) as archive:
            assert archive.testzip() is None
            self.entries = {
                name: archive.read(name).decode(errors="replace") for name in archive.namelist()
            }
        self.text = "\n".join(self.entries.values())
        self.events: list[dict[str, Any]] = []
        for name in ("trace.trace", "trace.network"):
            self.events += [json.loads(line) for line in self.entries[name].split("\n")[:-1]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


async def scrubbed(
    context: BrowserContext, folder: Path, *secrets: str, within: float = 30.0
) -> Archive:
    await context.tracing.stop(path=folder / "raw.zip")
    redactor = Redactor()
    for secret in secrets:
        redactor.add(secret)
    scrub([folder / "raw.zip"], folder / "clean.zip", redactor, source, time.monotonic() + within)
    return Archive(folder / "clean.zip")


async def test_what_a_session_has_of_its_own(context: BrowserContext, tmp_path: Path) -> None:
    """Cookies, credentials, stored items and password fields go; all else stays as it was."""
    await context.pages[0].fill("#pass", "typed-word-8")
    await context.pages[0].fill("#user", "typed-name-9")
    archive = await scrubbed(context, tmp_path)
    raw = Archive(tmp_path / "raw.zip")
    lines = archive.entries["trace.trace"] + archive.entries["trace.network"]
    recorded = raw.entries["trace.trace"] + raw.entries["trace.network"]
    for value in (*ISSUED[:4], *SENT[:2]):
        assert value in recorded, "Playwright no longer records it; nothing is left to take out"
    for value in (*ISSUED, *SENT):
        assert value not in lines
    fields = [text for text in lines.splitlines() if '"frame-snapshot"' in text]
    assert not [text for text in fields if "typed-word-8" in text]
    assert [text for text in fields if "typed-name-9" in text]
    assert "plain-header" in lines
    added = archive.entries.keys() - raw.entries.keys()
    assert raw.entries.keys() <= archive.entries.keys()
    assert len(archive.events) == len(raw.events)
    bodies = [name for name in raw.entries if name.startswith(("resources/", "screencast/"))]
    assert len({name.partition("/")[0] for name in bodies}) == 2
    assert all(archive.entries[name] == raw.entries[name] for name in bodies)
    # The one source that is the author's, under the name that Playwright's viewer asks for.
    named = hashlib.sha1(__file__.encode(), usedforsecurity=False).hexdigest()
    assert added == {f"src/{named}.py"}
    assert archive.entries[f"src/{named}.py"] == source(__file__)


async def test_a_secret(context: BrowserContext, origin: Origin, tmp_path: Path) -> None:
    """Typed, sent, shown, read or logged: no part of a secret stays, and the story does."""
    page = context.pages[0]
    await page.fill("#pass", SECRET)
    await page.locator("#user").press_sequentially(SECRET)
    await page.fill("#user", "")
    await page.focus("#user")
    for char in SECRET:
        await page.keyboard.insert_text(char)
        await page.press("#pass", "End")
    await page.evaluate(
        "text => { out.textContent = text; console.log(text); return text }", SECRET
    )
    await page.input_value("#user")
    await page.evaluate(
        "text => fetch('/echo?a=' + encodeURIComponent(text), {method: 'POST', body: text,"
        " headers: {'X-Own': encodeURIComponent(text)}}).then(answer => answer.text())",
        SECRET,
    )
    with pytest.raises(AssertionError):
        await expect(page.locator("#out")).to_have_text(SECRET + "!", timeout=200)
    await page.goto("/echo?again=" + quote(SECRET))
    archive = await scrubbed(context, tmp_path, SECRET)

    for part in [SECRET[at : at + 6] for at in range(len(SECRET) - 5)]:
        for spelling in (part, quote(part), quote(part, safe=""), json.dumps(part)[1:-1]):
            assert spelling not in archive.text
    assert "typed" not in archive.text
    endings = {name.rpartition(".")[2] for name in archive.entries}
    assert endings == {"trace", "network", "stacks", "css", "py"}
    pressed = [one for one in archive.of("before") if one["method"] == "keyboardInsertText"]
    assert [one["params"] for one in pressed] == [{}] * len(SECRET)
    # Each action with its end, the page before and after it, and each request with its answer.
    begun = {one["callId"] for one in archive.of("before")}
    assert begun == {one["callId"] for one in archive.of("after")}
    assert {"goto", "fill", "type", "expect"} <= {one["method"] for one in archive.of("before")}
    assert any('"id":"out"},"***"' in line for line in archive.entries["trace.trace"].splitlines())
    asked = [one["snapshot"]["request"]["url"] for one in archive.of("resource-snapshot")]
    assert f"{origin.url}/echo?a=***" in asked
    assert "teal" in archive.text


async def test_only_a_part(context: BrowserContext, tmp_path: Path) -> None:
    """A page that shows half of a secret costs the archive: nothing else is known to be there."""
    await context.pages[0].evaluate("text => out.textContent = text", "is correct-hors!")
    with pytest.raises(ValueError, match="a part of a secret"):
        await scrubbed(context, tmp_path, "correct-horse-battery")


@pytest.mark.parametrize("secrets", [(), (SECRET,)])
async def test_half_a_character(
    context: BrowserContext, tmp_path: Path, secrets: tuple[str, ...]
) -> None:
    """A page may hold half of one, and separators of lines that are none in JSON."""
    await context.pages[0].evaluate(r"console.log('\ud83d here'); console.log('a\u2028b\x85c')")
    archive = await scrubbed(context, tmp_path, *secrets)
    assert [one["text"] for one in archive.of("console")] == ["? here", "a\u2028b\x85c"]


async def test_its_time(context: BrowserContext, tmp_path: Path) -> None:
    """What isn't done in time is given up."""
    with pytest.raises(TimeoutError):
        await scrubbed(context, tmp_path, within=-1.0)


async def test_a_walk_that_opened_no_page(browser: Browser, tmp_path: Path) -> None:
    """Its trace is kept too: a list in it without any entry is no broken one."""
    context = await browser.new_context()
    await context.tracing.start(screenshots=True, snapshots=True)
    await context.tracing.stop(path=tmp_path / "raw.zip")
    scrub([tmp_path / "raw.zip"], tmp_path / "clean.zip", Redactor(), source, time.monotonic() + 10)
    with zipfile.ZipFile(tmp_path / "clean.zip") as kept:
        assert any(name.endswith(".trace") for name in kept.namelist())
