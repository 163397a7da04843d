"""What follows a walk that is over: the canary, and the evidence that is kept of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.core.errors import ErrorType, Owner
from agent.core.limits import LINE_LENGTH
from agent.protocol.messages import Logged
from agent.worker import calls
from agent.worker.browser.canary import try_canary
from agent.worker.browser.circumstances import Circumstances
from agent.worker.browser.evidence import Evidence
from agent.worker.browser.nearest import near_matches
from agent.worker.browser.recorder import Recorder
from agent.worker.browser.weight import DriverState
from agent.worker.browser.wording import found_nothing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import Browser, Locator, Page

    from agent.core.results import EvidenceName
    from agent.protocol.messages import Walk
    from agent.worker.browser.faults import Fault
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.page_setup import OpenPage, PageSetup
    from agent.worker.pipe import Pipe
    from agent.worker.steps import Steps

_CANARY_SHARE = 0.5
_EVIDENCE_SHARE = 0.9
"""Shares of the grace that may be over when the canary, and when all evidence, is done; what is
left is for the pipe."""
_NOTES_SHARE = 0.1
"""The share of the grace that is kept for the notes."""
_ARIA_SHARE = 0.3
_MOST_ARIA_WAIT = 5.0
"""The share of what is left of its time, and seconds at most, for the page as roles and names."""
_MOST_WAIT = 10.0
"""Seconds that the canary, a picture or a trace may take, however much of the timeout is left."""
_LEAST_WAIT = 0.1
_TITLE_WAIT = 1.0
_DIGESTING = "Playwright's driver was still busy with what the page had sent it"
_NO_MEMORY = "given up, for memory ran short"


class FollowUp:
    """Sees to one walk once it is over; what is recorded meanwhile is begun here too."""

    def __init__(
        self, walk: Walk, pipe: Pipe, setup: PageSetup, steps: Steps, code: AuthorCode
    ) -> None:
        self._walk = walk
        self._pipe = pipe
        self._setup = setup
        self._steps = steps
        self._code = code
        self._evidence = Evidence(Path(walk.scratch), pipe.redactor)
        self._recorder = Recorder()
        self._driver = DriverState(0, 0.0, 0.0)
        self._poor = False
        self._giving_up: asyncio.Task[None] | None = None
        self._spent = self._end = 0.0
        self._stood = Circumstances((), (), {})
        self.near: Sequence[str] = ()
        """What there was instead of that which was looked for in vain."""
        self.masks: list[Locator] = []
        """What the author has painted over in pictures."""

    @property
    def kept(self) -> tuple[EvidenceName, ...]:
        """Names of the files that were left in the attempt's scratch folder."""
        return tuple(self._evidence.names)

    async def record(self, opened: OpenPage, launcher: Launcher) -> None:
        """Begin to record, where that is wanted."""
        self._driver = DriverState.of(launcher.driver_pids)
        self._pipe.on_give_way = self._give_way
        if self._walk.record_trace and opened.context is not None:
            await self._recorder.start(opened.context)
            if self._setup.contexts is not None:
                self._setup.contexts.recorder = self._recorder

    def group(self, name: str) -> AbstractAsyncContextManager[None]:
        """Open a step's group in the recording, where there is one."""
        caller = self._code.caller()
        if caller is None or not self._recorder.records:
            return nullcontext()
        return self._recorder.group(name, caller.f_code.co_filename, caller.f_lineno)

    def begin(self, spent: float, stood: Circumstances) -> None:
        """Take it that the walk is over, after so many seconds; ``stood`` is how things stood.

        What it left of its timeout is the canary's and the evidence's.
        """
        self._spent = spent
        self._stood = stood
        self._end = time.monotonic() + self._left(_EVIDENCE_SHARE)

    async def canary(
        self, fault: Fault | None, launcher: Launcher, browser: Browser | None
    ) -> str | None:
        """Try the canary where the target is about to be blamed; return what it said."""
        if fault is None or fault.error_type.owner is not Owner.TARGET:
            return None
        within = min(self._left(_CANARY_SHARE), _MOST_WAIT)
        if browser is None:
            return await calls.try_canary(launcher.playwright, self._walk.canary_url, within)
        if not browser.is_connected():
            return None
        before = DriverState.of(launcher.driver_pids)
        said = await try_canary(browser, self._walk.canary_url, within)
        after = DriverState.of(launcher.driver_pids)
        if said is not None and after.digests(self._driver, before):
            self._pipe.send(Logged("warning", "canary.late", {"why": _DIGESTING}))
            return None
        return said

    async def save(self, fault: Fault | None, browser: Browser | None, opened: OpenPage) -> None:
        """Save the evidence of a failure, and the trace.

        The verdict stands already: whatever this costs, it doesn't cost that.
        """
        page, end = self.page(fault, opened), self._end
        notes = self._walk.journey.grace * _NOTES_SHARE
        shown = browser is not None and browser.is_connected()
        if fault is not None and shown and page is not None and not self._poor:
            await self._setup.dialogs.dismiss()
            await self._evidence.screenshot(page, self.masks, _until(end - notes))
            await self._describe(fault, page, _until(end - notes))
        if shown:
            await self._evidence.trace(self._recorder, self._code.source, _until(end - notes))
        self._recorder.close()
        if fault is not None:
            await self._note(fault, page, max(notes, min(_until(end), _TITLE_WAIT)))
        elif self._evidence.missing:
            # Nothing is written down of a pass, so it is said here why something isn't there.
            missing = {"missing": list(self._evidence.missing)}
            self._pipe.send(Logged("warning", "evidence.missing", missing))

    async def _describe(self, fault: Fault, page: Page, left: float) -> None:
        """Save the page as roles and names, and find in it what was nearly looked for."""
        limit = min(left * _ARIA_SHARE, _MOST_ARIA_WAIT)
        until = time.monotonic() + limit
        snapshot = await self._evidence.aria(page, self.masks, limit)
        surely = found_nothing(fault.message) and fault.error_type is not ErrorType.HTTP_STATUS
        if not snapshot or not (surely or fault.error_type is ErrorType.TIMEOUT):
            return
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(max(until - time.monotonic(), _LEAST_WAIT)):
                lines = await near_matches(fault.target, page, snapshot, surely=surely)
            self.near = [self._pipe.redactor.fit(line, LINE_LENGTH) for line in lines]

    def _left(self, share: float) -> float:
        journey = self._walk.journey
        return max(0.0, journey.timeout - self._spent) + journey.grace * share

    def _give_way(self) -> None:
        """Stop what only records, since memory runs short; pictures aren't taken any more."""
        self._poor = True
        self._giving_up = asyncio.create_task(self._recorder.give_up(_NO_MEMORY))

    def page(self, fault: Fault | None, opened: OpenPage) -> Page | None:
        """Return the page that the walk failed on, as far as that is known."""
        page = self._setup.pages.behind(fault.target) if fault else None
        if page is None and opened.page is not None and opened.page.is_closed():
            page = self._setup.pages.last()
        return page or opened.page

    async def _note(self, fault: Fault, page: Page | None, budget: float) -> None:
        facts = {
            "run_id": self._walk.run_id,
            "journey": self._walk.journey.name,
            "attempt": self._walk.attempt,
            "error_type": fault.error_type.value,
            "error": fault.message,
            "near": list(self.near),
            "place": asdict(fault.place) if fault.place else None,
            "steps": [asdict(step) for step in self._steps.ended],
            "console": self._setup.console.lines,
            **self._setup.page_errors.facts(),
            "failed_requests": self._setup.traffic.failed,
            **self._stood.facts(),
        }
        await self._evidence.notes(page, facts, budget)


def _until(end: float) -> float:
    """Return the seconds until a moment of the monotonic clock: some, and not too many."""
    return min(max(end - time.monotonic(), _LEAST_WAIT), _MOST_WAIT)
