"""Playwright's recorder, for as long as a page is light enough to be recorded.

At each action the recorder copies the whole page, so a heavy one costs the walk its time and the
agent its memory. The recording gives way then: it is evidence, and the walk is the verdict.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext

_MOST_WRITTEN = 32 * 1024 * 1024
"""Bytes of actions and copies of pages; a picture of each second, and bodies, come besides."""
_LOOK = 0.25
"""Seconds between two looks at what was written."""
_GROUP_WAIT = 1.0
"""Seconds for the recorder to end a group."""
_END_WAIT = 2.0
"""Seconds for the recorder to end."""


class Recorder:
    """Records one attempt. ``missing`` says why there is no recording, empty where there is."""

    def __init__(self) -> None:
        self._context: BrowserContext | None = None
        self._watch: asyncio.Task[None] | None = None
        self.missing = ""

    @property
    def records(self) -> bool:
        """Whether it records still."""
        return self._context is not None

    async def start(self, context: BrowserContext) -> None:
        """Record from here on, until the journey begins a recording of its own."""
        own = context.tracing.start
        await own(screenshots=True, snapshots=True)

        async def authors(**options: Any) -> Any:  # noqa: ANN401 - as Playwright has it
            await self.give_up("the journey recorded itself")
            return await own(**options)

        context.tracing.start = authors  # type: ignore[method-assign]
        self._context = context
        self._watch = asyncio.create_task(self._watch_size(), name="recorder")

    @asynccontextmanager
    async def group(self, name: str, file: str, line: int) -> AsyncIterator[None]:
        """Show what happens inside as one group of that name; ``file`` and ``line`` begin it."""
        context = self._context
        if context is None:
            yield
            return
        with suppress(Error):
            await context.tracing.group(name, location={"file": file, "line": line, "column": 1})
        try:
            yield
        except asyncio.CancelledError:
            # The walk is over, and the recording ends its groups itself.
            raise
        except BaseException:
            await self._end_group(context)
            raise
        else:
            await self._end_group(context)

    async def _end_group(self, context: BrowserContext) -> None:
        if self._context is context:
            with suppress(Error, TimeoutError):
                await asyncio.wait_for(context.tracing.group_end(), _GROUP_WAIT)

    async def give_up(self, why: str) -> None:
        """Stop and keep nothing; nothing happens where nothing is recorded."""
        context = self._release()
        if context is not None:
            self.missing = why
            with suppress(Error, TimeoutError):
                await asyncio.wait_for(context.tracing.stop(), _END_WAIT)

    async def stop(self, path: Path) -> bool:
        """Write what was recorded to ``path``; return False where nothing was.

        Raises:
            Error: it could not be written.

        """
        context = self._release()
        if context is None:
            return False
        await context.tracing.stop(path=path)
        return True

    def close(self) -> None:
        """Look no more, for the browser is gone."""
        self._release()

    def _release(self) -> BrowserContext | None:
        context, self._context = self._context, None
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        return context

    async def _watch_size(self) -> None:
        while self._context is not None:
            await asyncio.sleep(_LOOK)
            written = _written()
            if written > _MOST_WRITTEN:
                await self.give_up(f"given up after {written >> 20} MiB: the page is too heavy")


def _written() -> int:
    """Return the bytes of actions and copies of pages that the driver wrote."""
    size = 0
    # The worker's own temporary folder: nobody else records there.
    for file in Path(tempfile.gettempdir()).glob("playwright-artifacts-*/**/*.trace"):
        with suppress(OSError):
            size += file.stat().st_size
    return size
