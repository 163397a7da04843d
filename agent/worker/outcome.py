"""What is made of a walk that is over: what it broke on, its evidence, and the canary."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.errors import ErrorType, Owner
from agent.core.limits import MESSAGE_LENGTH
from agent.protocol.messages import Logged
from agent.worker.browser.canary import try_canary
from agent.worker.browser.circumstances import Circumstances
from agent.worker.browser.evidence import Evidence
from agent.worker.browser.faults import (
    BrowserGone,
    Fault,
    HttpStatusError,
    PageErrorRaised,
    ProxyRefused,
    fault_of,
)
from agent.worker.browser.recorder import Recorder
from agent.worker.browser.weight import DriverState

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from agent.core.results import EvidenceName
    from agent.core.source_line import SourceLine
    from agent.protocol.messages import Walk
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.page_setup import OpenPage, PageSetup
    from agent.worker.pending import Pending
    from agent.worker.pipe import Pipe
    from agent.worker.steps import Steps

_CANARY_SHARE = 0.5
_EVIDENCE_SHARE = 0.9
"""Shares of the grace that may be over when the canary, and when all evidence, is done; what is
left is for the pipe."""
_NOTES_SHARE = 0.1
"""The share of the grace that is kept for the notes."""
_MOST_WAIT = 10.0
"""Seconds that the canary, a picture or a trace may take, however much of the timeout is left."""
_LEAST_WAIT = 0.1
_TITLE_WAIT = 1.0
_DIGESTING = "Playwright's driver was still busy with what the page had sent it"
_NO_MEMORY = "given up, for memory ran short"


_CHALLENGED = frozenset(
    {
        ErrorType.ASSERTION,
        ErrorType.CHALLENGED,
        ErrorType.HTTP_STATUS,
        ErrorType.NAVIGATION,
        ErrorType.TIMEOUT,
    }
)
"""What a walk may end on because its edge asks for a proof instead of answering."""
_OF_PAGES = (HttpStatusError, PageErrorRaised, ProxyRefused)
"""What is raised for a page, at whatever line the journey stands meanwhile."""
_AFTER_PAGE_ERROR = frozenset({ErrorType.ASSERTION, ErrorType.TIMEOUT})
_CURE = "sign the agent's requests and let them pass there: docs/identity.md"


class AttemptOutcome:
    """Looks at one walk once it is over; what was recorded meanwhile is begun here too."""

    def __init__(
        self, walk: Walk, pipe: Pipe, setup: PageSetup, steps: Steps, code: AuthorCode
    ) -> None:
        self._walk = walk
        self._pipe = pipe
        self._setup = setup
        self._steps = steps
        self._code = code
        self._evidence = Evidence(Path(walk.scratch), pipe.redactor)
        self._stood = Circumstances((), (), {})
        self._recorder = Recorder()
        self._driver = DriverState(0, 0.0, 0.0)
        self._poor = False
        self._giving_up: asyncio.Task[None] | None = None
        self.waited: Pending | None = None
        """What the journey waited for when something else ended it."""
        self.forgotten: tuple[SourceLine, str] | None = None
        """The line of a call that was made in vain, and the word that it lacks."""
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
        if self._walk.record_trace:
            await self._recorder.start(opened.context)

    def fault(
        self, failure: BaseException | None, launcher: Launcher, browser: Browser
    ) -> Fault | None:
        """Say what a walk broke on: what it raised, or what lies behind that; None: it passed."""
        if failure is None:
            return self._made_in_vain() or self._nothing_measured()
        raised = failure
        if not launcher.alive:
            failure = BrowserGone("Playwright's driver died")
        elif not browser.is_connected():
            failure = BrowserGone("the browser died")
        elif self._setup.end.lost.done():
            failure = self._setup.end.lost.exception() or failure
        own = self._fault_of(raised)
        heard = own if failure is raised else self._fault_of(failure)
        fault = self._placed(self._blamed(failure, heard), own, raised)
        setup = self._setup
        self._stood = Circumstances(
            setup.traffic.open_requests(),
            setup.dialogs.open,
            setup.auditor.stopped_vendors,
            # The first of them has been told where that is what the walk broke on.
            setup.page_errors.own()[1 if setup.end.page_error else 0 :],
        )
        if fault.error_type.owner is not Owner.TARGET:
            return fault
        if self.forgotten:
            return self._made_in_vain(fault)
        lines = self._stood.lines(waited=fault.error_type is ErrorType.TIMEOUT)
        whole = "\n".join([fault.message, *lines])
        return replace(fault, message=self._pipe.redactor.fit(whole, MESSAGE_LENGTH))

    def _fault_of(self, error: BaseException) -> Fault:
        return fault_of(error, self._code, self._pipe.redactor.fit)

    def _placed(self, fault: Fault, own: Fault, raised: BaseException) -> Fault:
        """Name the author's line at which the walk was, whatever ended it.

        What lies behind an error is heard of beside the journey, so it has no line itself. A
        page that is refused at the end of a step, or of all, is told where it answered.
        """
        fit = self._pipe.redactor.fit
        place, target = fault.place or own.place, fault.target or own.target
        if place is None and self.waited is not None and self.waited.place is not None:
            place, target = self.waited.place.cleaned(fit), self.waited.target
        elif self._setup.end.refused_at and isinstance(raised, _OF_PAGES):
            place = self._setup.end.refused_at.cleaned(fit)
        return replace(fault, place=place or self.declared(), target=target)

    def declared(self) -> SourceLine:
        """Return the line that declares the journey, for what belongs to no other."""
        journey = self._walk.journey
        line = self._code.line(f"{self._code.folder}/{journey.file}", journey.line)
        return line.cleaned(self._pipe.redactor.fit)

    def _blamed(self, failure: BaseException, fault: Fault) -> Fault:
        refused = self._setup.end.refusal()
        if isinstance(refused, ProxyRefused):
            return self._fault_of(refused)
        challenge = self._setup.end.challenges.open
        if challenge and fault.error_type in _CHALLENGED:
            return self._challenged(fault, challenge)
        if refused and fault.error_type.owner is Owner.TARGET:
            # The page that could not be used says more than what was missing on it.
            detail = "" if isinstance(failure, HttpStatusError) else f"; then {fault.message}"
            return replace(fault, error_type=ErrorType.HTTP_STATUS, message=f"{refused}{detail}")
        raised = self._setup.end.page_error
        if raised and fault.error_type in _AFTER_PAGE_ERROR and failure is not raised:
            # It came first, and is what the author wants to hear of.
            message = f"{raised}\nthen {fault.message}"
            return replace(fault, error_type=ErrorType.ASSERTION, message=message)
        return fault

    def _challenged(self, fault: Fault, challenge: str) -> Fault:
        then = "" if fault.error_type is ErrorType.CHALLENGED else f"\nthen {fault.message}"
        message = self._pipe.redactor.fit(f"{challenge}; {_CURE}{then}", MESSAGE_LENGTH)
        return replace(fault, error_type=ErrorType.CHALLENGED, message=message)

    def _page(self, fault: Fault | None, opened: OpenPage) -> Page:
        """Return the page that the walk failed on, as far as that is known."""
        page = self._setup.page_behind(fault.target) if fault else None
        if page is None and opened.page.is_closed():
            page = self._setup.last_page()
        return page or opened.page

    async def canary(
        self, fault: Fault | None, launcher: Launcher, browser: Browser, spent: float
    ) -> str | None:
        """Try the canary where the target is about to be blamed; return what it said.

        ``spent`` is how many seconds the walk took: what it left of its timeout is the canary's.
        """
        if fault is None or fault.error_type.owner is not Owner.TARGET:
            return None
        if not browser.is_connected():
            return None
        before = DriverState.of(launcher.driver_pids)
        left = self._left(spent, _CANARY_SHARE)
        said = await try_canary(browser, self._walk.canary_url, min(left, _MOST_WAIT))
        after = DriverState.of(launcher.driver_pids)
        if said is not None and after.digests(self._driver, before):
            self._pipe.send(Logged("warning", "canary.late", {"why": _DIGESTING}))
            return None
        return said

    async def save(
        self, fault: Fault | None, browser: Browser, opened: OpenPage, end: float
    ) -> None:
        """Save the evidence of a failure, and the trace; ``end`` is on the monotonic clock.

        The verdict stands already: whatever this costs, it doesn't cost that.
        """
        page = self._page(fault, opened)
        notes = self._walk.journey.grace * _NOTES_SHARE
        if fault is not None and browser.is_connected() and not self._poor:
            await self._setup.dialogs.dismiss()
            await self._evidence.screenshot(page, self.masks, _until(end - notes))
        if browser.is_connected():
            await self._evidence.trace(self._recorder, _until(end - notes))
        self._recorder.close()
        if fault is not None:
            await self._note(fault, page, max(notes, min(_until(end), _TITLE_WAIT)))
        elif self._evidence.missing:
            # Nothing is written down of a pass, so it is said here why something isn't there.
            missing = {"missing": list(self._evidence.missing)}
            self._pipe.send(Logged("warning", "evidence.missing", missing))

    def evidence_end(self, spent: float) -> float:
        """Return when evidence has to be saved, on the monotonic clock."""
        return time.monotonic() + self._left(spent, _EVIDENCE_SHARE)

    def _left(self, spent: float, share: float) -> float:
        journey = self._walk.journey
        return max(0.0, journey.timeout - spent) + journey.grace * share

    def _give_way(self) -> None:
        """Stop what only records, since memory runs short; pictures aren't taken any more."""
        self._poor = True
        self._giving_up = asyncio.create_task(self._recorder.give_up(_NO_MEMORY))

    async def _note(self, fault: Fault, page: Page, budget: float) -> None:
        facts = {
            "run_id": self._walk.run_id,
            "journey": self._walk.journey.name,
            "attempt": self._walk.attempt,
            "error_type": fault.error_type.value,
            "error": fault.message,
            "place": asdict(fault.place) if fault.place else None,
            "steps": [asdict(step) for step in self._steps.ended],
            "console": self._setup.console.lines,
            **self._setup.page_errors.facts(),
            "failed_requests": self._setup.traffic.failed,
            **self._stood.facts(),
        }
        await self._evidence.notes(page, facts, budget)

    def _made_in_vain(self, after: Fault | None = None) -> Fault | None:
        """Refuse to pass, or to blame the target for, a walk that left something out."""
        if self.forgotten is None:
            return None
        fit = self._pipe.redactor.fit
        line, word = self.forgotten
        place = line.cleaned(fit)
        message = f"{place.source}: write `{word}` before it; without it nothing was done"
        if after:
            message = f"{message}\nthen {after.message}"
        return Fault(ErrorType.SCRIPT_ERROR, fit(message, MESSAGE_LENGTH), place=place)

    def _nothing_measured(self) -> Fault | None:
        """Refuse to pass a walk that never heard from its site: it would be green for ever."""
        if self._setup.traffic.reached:
            return None
        message = (
            "the journey passed without an answer from any first-party address, so it measured "
            "nothing; is an `await` missing?"
        )
        return Fault(ErrorType.SCRIPT_ERROR, message, place=self.declared())


def _until(end: float) -> float:
    """Return the seconds until a moment of the monotonic clock: some, and not too many."""
    return min(max(end - time.monotonic(), _LEAST_WAIT), _MOST_WAIT)
