"""What pages download, bounded: a page that downloads without end must not fill the disk."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from playwright.async_api import BrowserContext, Download

    from agent.worker.browser.listening import Listeners

MOST_DOWNLOADED = 100 * 1024 * 1024
"""Bytes that the pages of an attempt may download, all files together."""
_LOOK = 0.2
"""Seconds between two looks at what was written."""


class Downloads:
    """Lets pages download until there is too much, then cancels what comes.

    A journey that waits for such a file finds it cancelled. ``report`` is told once, with the
    MiB that there were.
    """

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._begun: list[Download] = []
        self._full = False
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, context: BrowserContext, listeners: Listeners) -> None:
        """Watch the downloads of a context."""
        listeners.on(context, "download", self._on_download)

    def stop(self) -> None:
        """Look no more, for the browser is gone."""
        for task in self._tasks:
            task.cancel()

    def _on_download(self, download: Download) -> None:
        if self._full:
            self._start(_cancel(download))
            return
        self._begun.append(download)
        if not self._tasks:
            self._start(self._watch())

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="downloads")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        while (written := _written()) <= MOST_DOWNLOADED:  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(_LOOK)
        self._full = True
        self._report(written >> 20)
        await asyncio.gather(*map(_cancel, self._begun))


async def _cancel(download: Download) -> None:
    with suppress(Error):
        await download.cancel()


def _written() -> int:
    """Return the bytes that lie where the driver has files saved."""
    size = 0
    # The worker's own temporary folder. What the recorder writes lies in a folder of its own.
    for file in Path(tempfile.gettempdir()).glob("playwright-artifacts-*/*"):
        with suppress(OSError):
            size += file.stat().st_size if file.is_file() else 0
    return size
