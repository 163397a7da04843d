"""Playwright's inspector around one walk: at the journey's first call, and where it fails."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from agent.core.limits import LINE_LENGTH
from agent.protocol.messages import Logged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, Page

    from agent.core.source_line import SourceLine
    from agent.worker.browser.faults import Fault
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.page_setup import OpenPage
    from agent.worker.pending import PendingCall
    from agent.worker.pipe import Pipe

_LONG = 10.0
"""Seconds for which a call is waited for until the author is told of it."""
_LOOK = 1.0
_PAUSE = "async def pause(page): await page.pause()"


class Inspector:
    """Opens the inspector, which only a browser with a window has."""

    def __init__(self, pipe: Pipe, code: AuthorCode) -> None:
        self._pipe = pipe
        self._code = code

    async def begin(self, opened: OpenPage) -> None:
        """Stop before the next call of Playwright's; without a browser there is none to stop at."""
        if opened.context is not None:
            await opened.context.debugger.request_pause()

    @asynccontextmanager
    async def watching(
        self, pending: PendingCall, context: BrowserContext | None
    ) -> AsyncIterator[None]:
        """Tell the author of a call that is waited for: there is no time-out to end it."""
        watch = asyncio.create_task(self._watch(pending, context), name="inspector")
        try:
            yield
        finally:
            watch.cancel()

    async def hold(self, fault: Fault, page: Page | None) -> None:
        """Stop at a failure, at the author's line, until he resumes or closes the page."""
        self._tell(
            "error", "stopped at the failure; Resume ends the walk", fault.message, fault.place
        )
        if page is None or page.is_closed():
            return
        with suppress(Error):
            await self._pause_at(fault.place)(page)

    def _pause_at(self, place: SourceLine | None) -> Any:  # noqa: ANN401 - a function of its own
        """Return what pauses as if the author's line did: the inspector shows the line."""
        scope: dict[str, Any] = {}
        line, file = (place.line, place.file) if place else (1, "")
        home = Path(self._code.folder).parent / file
        exec(compile("\n" * (line - 1) + _PAUSE, str(home), "exec"), scope)  # noqa: S102 - a constant
        return scope["pause"]

    async def _watch(self, pending: PendingCall, context: BrowserContext | None) -> None:
        told = None
        while True:
            await asyncio.sleep(_LOOK)
            waited = pending.look()
            paused = context is not None and context.debugger.paused_details is not None
            if paused or waited.place == told:
                continue
            if waited.call and waited.seconds >= _LONG:
                told = waited.place
                why = f"{waited.call} has waited for {waited.seconds:.0f} s"
                self._tell("warning", "still waiting; the inspector shows what for", why, told)

    def _tell(self, level: str, event: str, why: str, place: SourceLine | None) -> None:
        fit = self._pipe.redactor.fit
        fields = {"why": fit(why.partition("\n")[0], LINE_LENGTH)}
        if place is not None:
            fields["at"] = str(place.cleaned(fit))
        self._pipe.send(Logged(level, event, fields))
