"""Playwright's recorder, for as long as a page is light enough to be recorded.

At each action the recorder copies the whole page, so a heavy one costs the walk its time and the
agent its memory. The recording gives way then: it is evidence, and the walk is the verdict.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext

_MOST_WRITTEN = 32 * 1024 * 1024
"""Bytes of actions and copies of pages; a picture of each second, and bodies, come besides."""
_LOOK = 0.25
"""Seconds between two looks at what was written."""
_MOST_OTHERS = 5
"""Contexts beside the journey's own that are recorded."""
_GROUP_WAIT = 1.0
"""Seconds for the recorder to end a group."""
_END_WAIT = 2.0
"""Seconds for the recorder to end."""


class Recorder:
    """Records one attempt. ``missing`` says why there is no recording, empty where there is."""

    def __init__(self) -> None:
        self._context: BrowserContext | None = None
        self._others: list[BrowserContext] = []
        """Those that the journey opened besides and has not closed."""
        self._home: TemporaryDirectory[str] | None = None
        self._closed: list[Path] = []
        """What was recorded of those that it closed."""
        self._watch: asyncio.Task[None] | None = None
        self.missing = ""

    @property
    def records(self) -> bool:
        """Whether it records still."""
        return self._context is not None

    async def start(self, context: BrowserContext) -> None:
        """Record from here on, until the journey begins a recording of its own."""
        await self._start(context)
        self._context = context
        self._watch = asyncio.create_task(self._watch_size(), name="recorder")

    async def follow(self, context: BrowserContext) -> None:
        """Record another context too, where anything is recorded."""
        if self._context is not None and len(self._others) + len(self._closed) < _MOST_OTHERS:
            await self._start(context)
            self._others.append(context)

    async def leave(self, context: BrowserContext) -> None:
        """Keep what was recorded of another context, which is about to be closed."""
        if context in self._others:
            self._others.remove(context)
            if self._home is None:
                self._home = TemporaryDirectory(prefix="traces-", ignore_cleanup_errors=True)
            path = Path(self._home.name, f"{len(self._closed)}.zip")
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(_END_WAIT):
                    await context.tracing.stop(path=path)
                self._closed.append(path)

    async def _start(self, context: BrowserContext) -> None:
        own = context.tracing.start
        await own(screenshots=True, snapshots=True)

        async def authors(**options: Any) -> Any:  # noqa: ANN401 - as Playwright has it
            await self.give_up("the journey recorded itself")
            return await own(**options)

        context.tracing.start = authors  # type: ignore[method-assign]

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
                async with asyncio.timeout(_GROUP_WAIT):
                    await context.tracing.group_end()

    async def give_up(self, why: str) -> None:
        """Stop and keep nothing; nothing happens where nothing is recorded."""
        contexts = self._release()
        if contexts:
            self.missing = why
        for context in contexts:
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(_END_WAIT):
                    await context.tracing.stop()
        self._drop_closed()

    async def stop(self, folder: Path) -> list[Path]:
        """Write what was recorded to ``folder``, a file each context, the journey's own first.

        Returns:
            The files; none where nothing was recorded.

        Raises:
            Error: the journey's own could not be written.

        """
        contexts = self._release()
        if not contexts:
            return []
        first, *others = contexts
        written = [folder / "first.zip"]
        await first.tracing.stop(path=written[0])
        for number, context in enumerate(others):
            path = folder / f"other-{number}.zip"
            with suppress(Error):
                await context.tracing.stop(path=path)
                written.append(path)
        written += [Path(shutil.move(one, folder / f"closed-{one.name}")) for one in self._closed]
        self._drop_closed()
        return written

    def close(self) -> None:
        """Look no more, for the browser is gone."""
        self._release()
        self._drop_closed()

    def _release(self) -> list[BrowserContext]:
        contexts = [self._context, *self._others] if self._context is not None else []
        self._context, self._others = None, []
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        return [one for one in contexts if one is not None]

    def _drop_closed(self) -> None:
        self._closed = []
        if self._home is not None:
            self._home.cleanup()
            self._home = None

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
