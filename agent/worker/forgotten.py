"""What a journey called and forgot to await: it did nothing, and the walk measured less."""

from __future__ import annotations

import gc
import re
import sys
import traceback
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from agent.core.source_line import SourceLine
    from agent.worker.browser.raised import AuthorCode

_NEVER_AWAITED = re.compile(
    r"^coroutine '.+' was never awaited\n.*?File \"(.+)\", line (\d+)", re.DOTALL
)


class Forgotten:
    """Hears of coroutines that are dropped unawaited, and of steps that are never entered.

    To be begun and ended around one walk: it takes Python's warnings over meanwhile.
    """

    def __init__(self, code: AuthorCode) -> None:
        self._code = code
        self._steps: list[_Step] = []
        self._found: list[tuple[SourceLine, str]] = []
        self._depth = sys.get_coroutine_origin_tracking_depth()
        self._warnings = warnings.catch_warnings()

    def begin(self) -> None:
        """Listen from now on."""
        self._warnings.__enter__()
        warnings.filterwarnings("always", r"coroutine '.+' was never awaited", RuntimeWarning)
        self._show = warnings.showwarning
        warnings.showwarning = self._hear
        # One frame: that of the line which made the coroutine.
        sys.set_coroutine_origin_tracking_depth(1)

    def end(self, failure: BaseException | None) -> tuple[SourceLine, str] | None:
        """Stop listening; return the first line that was forgotten, and what it lacks."""
        self._drop(failure)
        sys.set_coroutine_origin_tracking_depth(self._depth)
        self._warnings.__exit__(None, None, None)
        unentered = [(one.made_at, "async with") for one in self._steps if not one.entered]
        found = [*self._found, *((line, word) for line, word in unentered if line is not None)]
        return found[0] if found else None

    def _drop(self, failure: BaseException | None) -> None:
        """Let go now of what the journey's frames hold: later it would pass for another walk's."""
        if failure is None:
            gc.collect(1)  # what this walk made; a look at everything takes too long
            return
        for frame, _ in traceback.walk_tb(failure.__traceback__):
            if self._code.covers(frame.f_code.co_filename):
                with suppress(RuntimeError):  # it runs still
                    frame.clear()
                # Python 3.11 and 3.12 keep the locals for whoever asked for them once.
                dict(frame.f_locals)
        gc.collect()

    def step(self, opened: AbstractAsyncContextManager[None]) -> AbstractAsyncContextManager[None]:
        """Return a step that is known to be entered or not."""
        caller = self._code.caller()
        step = _Step(opened, self._code.frame_line(caller) if caller else None)
        self._steps.append(step)
        return step

    def _hear(self, message: Warning | str, *place: Any, **options: Any) -> None:  # noqa: ANN401 - as Python's
        told = _NEVER_AWAITED.match(str(message))
        if told is None:
            self._show(message, *place, **options)
        elif self._code.covers(told[1]):
            self._found.append((self._code.line(told[1], int(told[2])), "await"))


class _Step:
    """A step that remembers whether ``async with`` has entered it."""

    def __init__(
        self, opened: AbstractAsyncContextManager[None], made_at: SourceLine | None
    ) -> None:
        self._opened = opened
        self.made_at = made_at
        self.entered = False

    async def __aenter__(self) -> None:
        self.entered = True
        await self._opened.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._opened.__aexit__(kind, error, trace)
