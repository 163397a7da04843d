"""What is kept of a failure: recorded to the attempt's scratch folder, judged later."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from agent.core.bare_url import bare_url
from agent.core.limits import LINE_LENGTH, MOST_ARIA, TITLE_LENGTH
from agent.worker.browser.archive import scrub
from agent.worker.browser.aria import without_typed
from agent.worker.browser.painting import NotLookedAt, hidden_fields

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from playwright.async_api import Locator, Page

    from agent.core.redact import Redactor
    from agent.core.results import EvidenceName
    from agent.worker.browser.recorder import Recorder

_MOST_NOTED = 2_000_000
"""Characters of the notes."""
_FIRST_SHARE = 0.4
_FIRST_MOST = 1.0
"""The share of its time, and seconds at most, that a picture is waited for as the page stands."""
_LOOK_SHARE = 0.3
"""The share of a picture's time in which a frame has to say what stands in its fields."""

_HIDE = "all => all.forEach(one => one.setAttribute('aria-hidden', 'true'))"
_IS_HIDDEN = "all => all.map(one => one.getAttribute('aria-hidden') === 'true')"


class Evidence:
    """Writes the evidence of one attempt; each piece is guarded on its own."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._folder = folder
        self._redactor = redactor
        self.names: list[EvidenceName] = []
        self.missing: list[str] = []
        """Why a piece that was wanted isn't there."""

    async def screenshot(self, page: Page, masks: Sequence[Locator], timeout: float) -> None:  # noqa: ASYNC109
        """Save what the page shows, fields that hold secrets and masked elements painted over."""
        first = min(timeout * _FIRST_SHARE, _FIRST_MOST)

        async def take(within: float) -> None:
            look = within * _LOOK_SHARE
            await page.screenshot(
                path=self._folder / "screenshot.png",
                mask=[*await hidden_fields(page, self._redactor, look), *masks],
                timeout=within * 1000,
                animations="disabled",
            )

        async def take_twice() -> None:
            try:
                async with asyncio.timeout(first):
                    await take(first)
            except (NotLookedAt, PlaywrightTimeout, TimeoutError):
                # A page that waits for its document, or for what it needs to be drawn, is neither
                # looked at nor drawn until it waits no more.
                await _stop_loading(page)
                await take(timeout - first)

        await self._piece("screenshot.png", take_twice, timeout)

    async def aria(self, page: Page, masks: Sequence[Locator], timeout: float) -> str:  # noqa: ASYNC109
        """Save the page as roles and names, without what was typed or masked; return it.

        "" where it can't be had, or shows a part of a secret.
        """
        seen = ""

        async def read() -> None:
            nonlocal seen
            if not await _hide(masks):
                raise NotLookedAt("what the journey masks can't be left out")
            whole = without_typed(await page.aria_snapshot(timeout=timeout * 1000))
            text = self._redactor.fit(whole, MOST_ARIA)
            if self._redactor.holds_part(text):
                raise NotLookedAt("it shows a part of a secret that the journey used")
            file = self._folder / "aria.yml"
            file.write_text(text + "\n", encoding="utf-8", errors="replace")
            seen = text

        await self._piece("aria.yml", read, timeout)
        return seen

    async def trace(
        self,
        recorder: Recorder,
        source: Callable[[str], str],
        timeout: float,  # noqa: ASYNC109
    ) -> None:
        """Save the recording without what is secret; where that can't be had, none.

        ``source`` returns the text of a file of the author's.
        """
        if not recorder.records:
            self.missing += [f"trace.zip: {recorder.missing}"] if recorder.missing else []
            return
        until = time.monotonic() + timeout
        kept = False

        async def stop() -> None:
            nonlocal kept
            # As it was recorded it never lies where evidence does.
            with TemporaryDirectory(prefix="trace-") as home:
                clean = Path(home, "clean.zip")
                raws = await recorder.stop(Path(home))
                kept = bool(raws)
                if kept:
                    await asyncio.to_thread(scrub, raws, clean, self._redactor, source, until)
                    shutil.move(clean, self._folder / "trace.zip")

        await self._piece("trace.zip", stop, timeout)
        if not kept and "trace.zip" in self.names:
            self.names.remove("trace.zip")
            self.missing += [f"trace.zip: {recorder.missing}"] if recorder.missing else []

    async def notes(self, page: Page | None, facts: dict[str, Any], timeout: float) -> None:  # noqa: ASYNC109
        """Save ``failure.json``: the ``facts``, and address and title of the page, if any."""

        async def title(shown: Page) -> None:
            facts["title"] = self._redactor.fit(await _title(shown), TITLE_LENGTH)

        if page is not None:
            facts["url"] = bare_url(page.url)
            await self._piece(None, partial(title, page), timeout)
        facts["missing"] = self.missing
        text = json.dumps(self._redactor.value(facts, _MOST_NOTED), indent=2, ensure_ascii=False)
        # A disk may be full: that doesn't cost the verdict.
        with suppress(OSError):
            file = self._folder / "failure.json"
            file.write_text(text + "\n", encoding="utf-8", errors="replace")
            self.names.append("failure.json")

    async def _piece(
        self, name: EvidenceName | None, make: Callable[[], Awaitable[None]], limit: float
    ) -> None:
        try:
            async with asyncio.timeout(limit):
                await make()
        except TimeoutError:
            self.missing.append(f"{name or 'title'}: not ready within {limit:.1f} s")
        except (BadZipFile, Error, NotLookedAt, OSError, ValueError) as error:
            why = self._redactor.fit(str(error), LINE_LENGTH)
            self.missing.append(f"{name or 'title'}: {why}")
        else:
            if name:
                self.names.append(name)


async def _hide(masks: Sequence[Locator]) -> bool:
    """Take masked elements, those in frames too, out of what is read of the page as roles."""
    for mask in masks:
        await mask.evaluate_all(_HIDE)
        if not all(await mask.evaluate_all(_IS_HIDDEN)):
            return False
    return True


async def _stop_loading(page: Page) -> None:
    session = await page.context.new_cdp_session(page)
    try:
        await session.send("Page.stopLoading")
    finally:
        await session.detach()


async def _title(page: Page) -> str:
    """Return a page's title as the browser knows it: cut, and not asked of the page's world."""
    session = await page.context.new_cdp_session(page)
    try:
        found = await session.send("Target.getTargetInfo")
        return str(found["targetInfo"]["title"])
    finally:
        await session.detach()
