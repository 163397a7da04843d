"""One attempt at a journey, on the worker's side: the walk, its end and its evidence."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.core.errors import ErrorType
from agent.core.limits import NAME_LENGTH
from agent.core.results import AttemptReport
from agent.protocol.messages import Logged, OutcomeKnown, Started
from agent.worker.browser.faults import BadContext, LaunchFailed, first_line
from agent.worker.browser.launch import close
from agent.worker.follow_up import FollowUp
from agent.worker.inspector import Inspector
from agent.worker.journey_call import JourneyCall
from agent.worker.optional_steps import OptionalSteps
from agent.worker.outcome import AttemptOutcome
from agent.worker.page_setup import OPEN_WAIT, PageSetup
from agent.worker.request_signer import proofs_of
from agent.worker.run_host import RunHost
from agent.worker.steps import Steps
from agent.worker.tagging.identity import Identity

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from playwright.async_api import APIRequestContext, Browser

    from agent.core.model import Hold
    from agent.core.outline import Outline
    from agent.protocol.messages import Walk
    from agent.worker.browser.faults import Fault
    from agent.worker.browser.launch import Launcher
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.isolation import Isolation
    from agent.worker.loader import LoadedJourney
    from agent.worker.page_setup import OpenPage
    from agent.worker.pipe import Pipe
    from agent.worker.watchdog import Watchdog

_ROUTED = "the pages it routes have no HTTP cache, and Playwright answers their CORS preflights"
_CLOSE_WAIT = 3.0
_TELLING = 12
"""Characters of a header's value from which on it may be a secret."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a worker has for all of its attempts."""

    pipe: Pipe
    watchdog: Watchdog
    isolation: Isolation
    launcher: Launcher
    code: AuthorCode
    header: str
    """The name of the header that carries the journey's name."""
    hold: Hold
    inspected: bool = False
    """Whether a person steps through the walk in Playwright's inspector."""


class AttemptRunner:
    """Walks one journey once."""

    def __init__(self, walk: Walk, journey: LoadedJourney, services: Services) -> None:
        self._walk = walk
        self._journey = journey
        self._pipe = pipe = services.pipe
        self._watchdog = services.watchdog
        self._isolation = services.isolation
        self._launcher = services.launcher
        self._code = services.code
        self._steps = Steps(
            walk.trace_id,
            walk.span_id,
            pipe.send,
            self._before_pass,
            lambda error: first_line(error, pipe.redactor.fit),
            self._group,
        )
        identity = Identity(
            journey=walk.journey.name,
            run_id=walk.run_id,
            trace_id=walk.trace_id,
            header=services.header,
            parent=lambda: self._steps.current,
            proofs=proofs_of(walk, pipe),
            besides=walk.headers,
        )
        for value in walk.headers.values():
            # Such as one that opens a protected copy; a short one is none, and masks half a page.
            if len(value) >= _TELLING:
                pipe.redactor.add(value)
        # What pins a canary has to be on its files too.
        hold: Hold = "all" if walk.headers else services.hold
        self._setup = PageSetup(walk, identity, pipe, hold)
        self._setup.outliner.steps_begun = lambda: len(self._steps.begun)
        self._inspector = Inspector(pipe, services.code) if services.inspected else None
        self._call = JourneyCall(
            walk,
            journey,
            services.isolation,
            services.code,
            pipe,
            self._setup,
            self._steps,
            self._inspector,
        )
        self._outcome = AttemptOutcome(walk, pipe, self._setup, services.code)
        self._follow_up = FollowUp(walk, pipe, self._setup, self._steps, services.code)
        self._api: APIRequestContext | None = None
        """What there is to be closed where there is no browser."""
        self.fit = True
        """Whether the process is as good as before."""

    async def run(self, done: Callable[[AttemptReport], None]) -> None:
        """Walk, tell ``done`` what was seen, and close the browser, where there is one."""
        if not self._walk.journey.browser:
            try:
                done(await self._walk_in(None))
            finally:
                await self._close_api()
                await self._clear()
            return
        try:
            browser = await self._launcher.take()
        except LaunchFailed as error:
            # As likely as not it is this process's driver that is dead or hangs.
            self.fit = False
            done(AttemptReport(time.time(), 0.0, ErrorType.BROWSER_LAUNCH, str(error)))
            await self._clear()
            return
        try:
            done(await self._walk_in(browser))
            if self.fit:
                # The next one starts while this one ends: a slot may be waiting for it.
                self._launcher.ahead()
        finally:
            self._setup.downloads.stop()
            try:
                async with asyncio.timeout(_CLOSE_WAIT):
                    await close(browser)
            except (Error, TimeoutError):
                self.fit = False
            await self._clear()

    async def _close_api(self) -> None:
        if self._api is not None:
            try:
                async with asyncio.timeout(_CLOSE_WAIT):
                    await self._api.dispose()
            except (Error, TimeoutError):
                self.fit = False

    async def _clear(self) -> None:
        """Put right what the journey left in this process; where that fails it is not fit."""
        left = await self._isolation.clear()
        if left:
            self.fit = False
            self._pipe.send(Logged("warning", "journey.left", {"left": ", ".join(left[:5])}))

    async def _walk_in(self, browser: Browser | None) -> AttemptReport:
        started_at, start = time.time(), time.perf_counter()
        self._watchdog.begin()
        try:
            opened = await self._open(browser)
        except BadContext as error:
            self._watchdog.end()
            place = self._outcome.declared()
            return AttemptReport(started_at, 0.0, ErrorType.SCRIPT_ERROR, str(error), place=place)
        except (Error, TimeoutError) as error:
            self._watchdog.end()
            self.fit = False
            what = "the browser opened no page" if browser else "Playwright's driver did nothing"
            why = str(error) or f"{what} within {OPEN_WAIT:g} s"
            return AttemptReport(started_at, 0.0, ErrorType.BROWSER_CRASH, why)
        self._pipe.send(Started())
        started_at, start = time.time(), time.perf_counter()
        failure = await self._call.run(opened, self._host())
        took = time.perf_counter() - start
        self.fit = self._call.fit
        self._outcome.waited = self._call.waited
        self._outcome.forgotten = self._call.forgotten.end(failure)
        if failure is not None:
            self._setup.console.stop()
        if self._setup.routed:
            self._pipe.send(Logged("warning", "journey.routes", {"effect": _ROUTED}))
        fault = self._outcome.fault(failure, self._launcher, browser)
        self._setup.traffic.end("unfinished" if failure else "")
        tagger_wait = self._setup.tagger.longest_wait
        lag, blocked_at = self._watchdog.end()
        if fault is not None:
            self._steps.skip(self._journey.step_names)
            await self._show(fault, opened)
        self._follow_up.begin(took, self._outcome.stood)
        canary = await self._follow_up.canary(fault, self._launcher, browser)
        if browser is not None and browser.is_connected():
            await self._setup.auditor.wait_for_tagger()
        await self._setup.releases.settle()
        if canary is not None or not self._launcher.alive:
            self.fit = False
        report = AttemptReport(
            started_at=started_at,
            duration=took,
            error_type=fault.error_type if fault else None,
            error=fault.message if fault else "",
            place=fault.place if fault else None,
            unreachable=fault.unreachable if fault else False,
            canary=canary,
            lag=lag,
            tagger_wait=tagger_wait,
            awaited=self._outcome.stood.awaited(),
            blocked_at=blocked_at,
            requests=dict(self._setup.traffic.counts),
            vitals=self._setup.vitals.collected(),
            audit=self._setup.auditor.report(),
            page_errors=dict(self._setup.page_errors.counts),
            certificates=self._setup.handshakes.collected(),
            outline=self._outline(),
            releases=self._setup.releases.collected(),
        )
        if fault is not None or self._walk.record_trace:
            # What is saved now may cost the process; of a pass nothing is.
            self._pipe.send(OutcomeKnown(report))
        await self._follow_up.save(fault, browser, opened)
        if fault is not None or self._walk.record_trace:
            report = replace(report, outline=None)  # it has crossed the pipe
        return replace(
            report,
            evidence=self._follow_up.kept,
            audit=self._setup.auditor.report(),
            near=tuple(self._follow_up.near),
        )

    async def _show(self, fault: Fault, opened: OpenPage) -> None:
        """Let a person who steps through the walk look at what it broke on."""
        if self._inspector is not None:
            await self._inspector.hold(fault, self._follow_up.page(fault, opened))

    def _outline(self) -> Outline:
        setup, fit = self._setup, self._pipe.redactor.fit
        steps = [replace(one, name=fit(one.name, NAME_LENGTH)) for one in self._steps.begun]
        return setup.outliner.outline(
            steps, setup.page_errors.kept(), setup.console.lines, setup.releases.collected()
        )

    async def _open(self, browser: Browser | None) -> OpenPage:
        if browser is None:
            opened = await self._setup.open_api(self._launcher)
            self._api = opened.api
            return opened
        opened = await self._setup.open(browser, self._launcher)
        await self._follow_up.record(opened, self._launcher)
        if self._inspector is not None:
            await self._inspector.begin(opened)
        return opened

    def _host(self) -> RunHost:
        forgotten = self._call.forgotten
        deadline = time.monotonic() + self._walk.journey.timeout
        optional = OptionalSteps(self._pipe, self._code, self._setup, deadline)
        return RunHost(
            self._pipe,
            self._steps,
            forgotten,
            self._setup,
            self._follow_up,
            optional,
            self._journey.files,
        )

    def _group(self, name: str) -> AbstractAsyncContextManager[None]:
        return self._follow_up.group(name)

    async def _before_pass(self) -> tuple[dict[str, float], BaseException | None]:
        return await self._call.before_pass()
