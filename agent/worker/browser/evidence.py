"""What is kept of a failure: recorded to the attempt's scratch folder, judged later."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from playwright.async_api import Error

from agent.core.redact import bare_url
from agent.worker.browser.archive import scrub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from playwright.async_api import BrowserContext, Locator, Page

    from agent.core.redact import Redactor
    from agent.worker.browser.traffic import Traffic

_LOOK_SHARE = 0.2
"""The share of a picture's time in which a frame has to say whether it has password fields."""


class Evidence:
    """Writes the evidence of one attempt; each piece is guarded on its own."""

    def __init__(self, folder: Path, redactor: Redactor) -> None:
        self._folder = folder
        self._redactor = redactor
        self.names: list[str] = []
        self.missing: list[str] = []
        """Why a piece that was wanted isn't there."""

    async def start_trace(self, context: BrowserContext) -> None:
        """Record a Playwright trace from here on."""
        await context.tracing.start(screenshots=True, snapshots=True)

    async def screenshot(self, page: Page, masks: Sequence[Locator], timeout: float) -> None:  # noqa: ASYNC109
        """Save what the page shows, password fields and masked elements painted over."""

        async def take() -> None:
            await page.screenshot(
                path=self._folder / "screenshot.png",
                mask=[*await _passwords(page, timeout * _LOOK_SHARE), *masks],
                timeout=timeout * 1000,
                animations="disabled",
            )

        await self._piece("screenshot.png", take, timeout)

    async def trace(self, context: BrowserContext, timeout: float) -> None:  # noqa: ASYNC109
        """Save the trace without what is secret; where that can't be had, none."""
        until = time.monotonic() + timeout

        async def stop() -> None:
            # As it was recorded it never lies where evidence does.
            with TemporaryDirectory(prefix="trace-") as home:
                raw, clean = Path(home, "raw.zip"), Path(home, "clean.zip")
                await context.tracing.stop(path=raw)
                await asyncio.to_thread(scrub, raw, clean, self._redactor, until)
                shutil.move(clean, self._folder / "trace.zip")

        await self._piece("trace.zip", stop, timeout)

    async def notes(
        self,
        page: Page,
        traffic: Traffic,
        facts: dict[str, Any],
        timeout: float,  # noqa: ASYNC109
    ) -> None:
        """Save ``failure.json``: the error, address and title of the page, console, requests."""

        async def title() -> None:
            facts["title"] = await page.title()

        facts["url"] = bare_url(page.url)
        await self._piece("", title, timeout)
        facts |= {
            "console": traffic.console,
            "failed_requests": traffic.failed,
            "missing": self.missing,
        }
        text = json.dumps(self._redactor.value(facts), indent=2, ensure_ascii=False)
        # A page may hold half a character, and a disk may be full: neither costs the verdict.
        with suppress(OSError):
            file = self._folder / "failure.json"
            file.write_text(text + "\n", encoding="utf-8", errors="replace")
            self.names.append(file.name)

    async def _piece(self, name: str, make: Callable[[], Awaitable[None]], limit: float) -> None:
        try:
            await asyncio.wait_for(make(), limit)
        except TimeoutError:
            self.missing.append(f"{name or 'title'}: not ready within {limit:.1f} s")
        except (BadZipFile, Error, OSError, ValueError) as error:
            self.missing.append(f"{name or 'title'}: {error}")
        else:
            if name:
                self.names.append(name)


async def _passwords(page: Page, limit: float) -> list[Locator]:
    """Return the password fields of each frame that has any.

    A frame that hangs isn't waited for: it would cost the whole picture, and shows dots.
    """

    async def there(field: Locator) -> bool:
        try:
            return await asyncio.wait_for(field.count(), limit) > 0
        except (Error, TimeoutError):
            return False

    fields = [frame.locator("input[type=password]") for frame in page.frames]
    found = await asyncio.gather(*map(there, fields))
    return [field for field, is_there in zip(fields, found, strict=True) if is_there]
