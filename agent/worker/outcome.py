"""What is made of a walk that is over: what it broke on, its evidence, and the canary."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.errors import ErrorType, Owner
from agent.protocol.messages import Logged
from agent.worker.browser.canary import try_canary
from agent.worker.browser.evidence import Evidence
from agent.worker.browser.faults import BrowserGone, Fault, HttpStatusError, ProxyRefused, fault_of

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from playwright.async_api import Browser, Locator

    from agent.protocol.messages import Walk
    from agent.worker.browser.launch import Launcher
    from agent.worker.page_setup import OpenPage, PageSetup
    from agent.worker.pipe import Link
    from agent.worker.steps import Steps

_EVIDENCE_SHARE = 0.5
_TRACE_SHARE = 0.3
_NOTES_SHARE = 0.1
"""Shares of the grace; what is left is for the pipe."""


class AttemptOutcome:
    """Looks at one walk once it is over; what was recorded meanwhile is begun here too."""

    def __init__(self, walk: Walk, link: Link, setup: PageSetup, steps: Steps) -> None:
        self._walk = walk
        self._link = link
        self._setup = setup
        self._steps = steps
        self._evidence = Evidence(Path(walk.scratch), link.redactor)
        self.masks: list[Locator] = []
        """What the author has painted over in pictures."""

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the files that were left in the attempt's scratch folder."""
        return tuple(self._evidence.names)

    async def record(self, opened: OpenPage) -> None:
        """Begin to record, where that is wanted."""
        if self._walk.record_trace:
            await self._evidence.start_trace(opened.context)

    def fault(
        self, failure: BaseException | None, launcher: Launcher, browser: Browser
    ) -> Fault | None:
        """Say what a walk broke on: what it raised, or what lies behind that; None: it passed."""
        if failure is None:
            return self._nothing_measured()
        if not launcher.alive:
            failure = BrowserGone("Playwright's driver died")
        elif not browser.is_connected():
            failure = BrowserGone("the browser died")
        elif self._setup.lost.done():
            failure = self._setup.lost.exception() or failure
        fault = fault_of(failure, self._link.redactor.text)
        refused = self._setup.refusal()
        if isinstance(refused, ProxyRefused):
            return fault_of(refused, self._link.redactor.text)
        if refused and fault.error_type.owner is Owner.TARGET:
            # The page that could not be used says more than what was missing on it.
            detail = "" if isinstance(failure, HttpStatusError) else f"; then {fault.message}"
            return Fault(ErrorType.HTTP_STATUS, f"{refused}{detail}")
        return fault

    async def examine(self, fault: Fault | None, browser: Browser, opened: OpenPage) -> str | None:
        """Save the evidence of a failure and try the canary; return what the canary said."""
        grace = self._walk.journey.grace
        canary = None
        if fault is not None and browser.is_connected():
            budget = grace * _EVIDENCE_SHARE
            jobs: list[Awaitable[Any]] = [
                self._evidence.screenshot(opened.page, self.masks, budget),
            ]
            if fault.error_type.owner is Owner.TARGET:
                jobs.append(try_canary(browser, self._walk.canary_url, budget))
            canary = (await asyncio.gather(*jobs))[-1]
        if self._walk.record_trace and browser.is_connected():
            await self._evidence.trace(opened.context, grace * _TRACE_SHARE)
        if fault is not None:
            await self._note(fault, opened, grace * _NOTES_SHARE)
        elif self._evidence.missing:
            # Nothing is written down of a pass, so it is said here why something isn't there.
            missing = {"missing": list(self._evidence.missing)}
            self._link.send(Logged("warning", "evidence.missing", missing))
        return canary

    async def _note(self, fault: Fault, opened: OpenPage, budget: float) -> None:
        facts = {
            "run_id": self._walk.run_id,
            "journey": self._walk.journey.name,
            "attempt": self._walk.attempt,
            "error_type": fault.error_type.value,
            "error": fault.message,
            "steps": [asdict(step) for step in self._steps.ended],
        }
        await self._evidence.notes(opened.page, self._setup.traffic, facts, budget)

    def _nothing_measured(self) -> Fault | None:
        """Refuse to pass a walk that never heard from its site: it would be green for ever."""
        if self._setup.traffic.reached:
            return None
        message = (
            "the journey passed without an answer from any first-party address, so it measured "
            "nothing; is an `await` missing?"
        )
        return Fault(ErrorType.SCRIPT_ERROR, message)
