"""Steps whose failure a journey outlives: what the target did in them ends there."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from playwright.async_api import Error

from agent.core.errors import ErrorType, Owner
from agent.protocol.messages import Logged
from agent.worker.browser.faults import AttemptTimeout, fault_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from agent.core.source_line import SourceLine
    from agent.worker.browser.faults import Fault
    from agent.worker.browser.raised import AuthorCode
    from agent.worker.page_setup import PageSetup
    from agent.worker.pipe import Pipe

_SHARE = 0.5
"""The share of an attempt's time that is left which such a step may take: what counts has the
rest."""
_SHOW = 0.5
"""Seconds in which a page that was refused may show itself before the step ends on it."""


class OptionalSteps:
    """Has an attempt's steps of this kind end in time, and goes on after what failed in them.

    ``deadline`` is the attempt's, on the monotonic clock. What is no failure of the target's is
    raised on: an author's own mistake would be seen by nobody otherwise.
    """

    def __init__(self, pipe: Pipe, code: AuthorCode, setup: PageSetup, deadline: float) -> None:
        self._pipe = pipe
        self._code = code
        self._setup = setup
        self._end = setup.end
        self._deadline = deadline

    @asynccontextmanager
    async def around(
        self, name: str, step: AbstractAsyncContextManager[None]
    ) -> AsyncIterator[None]:
        """Go through a step; what the target failed on in it is told and dropped."""
        limit = max(0.0, self._deadline - time.monotonic()) * _SHARE
        timer = asyncio.timeout(limit)
        with self._end.pardoned(lambda: _shorten(timer)):
            try:
                async with step:
                    try:
                        async with timer:
                            yield
                    except TimeoutError as error:
                        if not timer.expired():
                            raise
                        late = AttemptTimeout(f"not done after {limit:.1f} s, half of the rest")
                        raise (self._end.objection() or late) from error
            except Exception as error:
                fault = fault_of(error, self._code, self._pipe.redactor.fit)
                if fault.error_type.owner is not Owner.TARGET:
                    raise
                self._tell(name, fault, fault.place or self._place(error))
                if fault.error_type is ErrorType.NAVIGATION:
                    await self._settle(fault)

    async def _settle(self, fault: Fault) -> None:
        """Let the browser show its own error page: it would interrupt where the page goes next."""
        page = self._setup.pages.behind(fault.target)
        if page is not None:
            with suppress(Error):
                await page.wait_for_url("chrome-error://**", timeout=_SHOW * 1000)

    def _tell(self, name: str, fault: Fault, place: SourceLine | None) -> None:
        fields = {
            "step": name,
            "error_type": fault.error_type.value,
            "error": fault.message.partition("\n")[0],
            "at": str(place) if place else "",
        }
        self._pipe.send(Logged("warning", "step.optional_failed", fields))

    def _place(self, error: BaseException) -> SourceLine | None:
        """Return the line that was cut off, or at which the step stood when a page was refused."""
        cause: BaseException | None = error
        while cause is not None:
            if place := self._code.raised_at(cause):
                return place
            cause = cause.__cause__ or cause.__context__
        return self._end.refused_at


def _shorten(timer: asyncio.Timeout) -> None:
    until = asyncio.get_running_loop().time() + _SHOW
    # One that is over already is looked at by the step itself.
    with suppress(RuntimeError):
        timer.reschedule(min(until, timer.when() or until))
