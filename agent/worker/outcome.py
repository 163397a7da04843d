"""What a walk that is over broke on, if it did."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.core.errors import ErrorType, Owner
from agent.core.limits import MESSAGE_LENGTH
from agent.worker.browser.circumstances import Circumstances
from agent.worker.browser.faults import (
    BrowserGone,
    Fault,
    HttpStatusError,
    PageErrorRaised,
    ProxyRefused,
    fault_of,
)
from agent.worker.browser.wording import found_nothing

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from agent.core.source_line import SourceLine
    from agent.protocol.messages import Walk
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.page_setup import PageSetup
    from agent.worker.pending import Pending
    from agent.worker.pipe import Pipe

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
_AFTER_PAGE_TROUBLE = frozenset({ErrorType.ASSERTION, ErrorType.TIMEOUT})
_CURE = "sign the agent's requests and let them pass there: docs/identity.md"


class AttemptOutcome:
    """Looks at one walk once it is over."""

    def __init__(self, walk: Walk, pipe: Pipe, setup: PageSetup, code: AuthorCode) -> None:
        self._walk = walk
        self._pipe = pipe
        self._setup = setup
        self._code = code
        self.stood = Circumstances((), (), {})
        """How things stood where it ended."""
        self.waited: Pending | None = None
        """What the journey waited for when something else ended it."""
        self.forgotten: tuple[SourceLine, str] | None = None
        """The line of a call that was made in vain, and the word that it lacks."""

    def fault(
        self, failure: BaseException | None, launcher: Launcher, browser: Browser | None
    ) -> Fault | None:
        """Say what a walk broke on: what it raised, or what lies behind that; None: it passed."""
        if failure is None:
            return self._made_in_vain() or self._nothing_measured()
        raised = failure
        if not launcher.alive:
            failure = BrowserGone("Playwright's driver died")
        elif browser is not None and not browser.is_connected():
            failure = BrowserGone("the browser died")
        elif self._setup.end.lost.done():
            failure = self._setup.end.lost.exception() or failure
        own = self._fault_of(raised)
        heard = own if failure is raised else self._fault_of(failure)
        fault = self._placed(self._blamed(failure, heard), own, raised)
        setup = self._setup
        self.stood = Circumstances(
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
        waited = fault.error_type is ErrorType.TIMEOUT or found_nothing(fault.message)
        lines = self.stood.lines(waited=waited)
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
        if fault.error_type in _AFTER_PAGE_TROUBLE:
            return self._behind(failure, fault)
        return fault

    def _behind(self, failure: BaseException, fault: Fault) -> Fault:
        """Return what lies behind something that could not be done or seen on a page."""
        end = self._setup.end
        cut_short, raised = self._setup.traffic.documents.cut_short, end.page_error
        if cut_short:
            message = f"{cut_short}\nthen {fault.message}"
            return replace(fault, error_type=ErrorType.NAVIGATION, message=message)
        if end.popups:
            # What was not closed lies over what the journey looked for.
            why, place = end.popups
            message = f"{why}\nthen {fault.message}"
            return replace(fault, error_type=ErrorType.SCRIPT_ERROR, message=message, place=place)
        if raised and failure is not raised:
            # It came first, and is what the author wants to hear of.
            message = f"{raised}\nthen {fault.message}"
            return replace(fault, error_type=ErrorType.ASSERTION, message=message)
        return fault

    def _challenged(self, fault: Fault, challenge: str) -> Fault:
        then = "" if fault.error_type is ErrorType.CHALLENGED else f"\nthen {fault.message}"
        message = self._pipe.redactor.fit(f"{challenge}; {_CURE}{then}", MESSAGE_LENGTH)
        return replace(fault, error_type=ErrorType.CHALLENGED, message=message)

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
