"""What a journey waits for: the Playwright call that is pending, its line, and since when."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agent.worker.browser.raised import call_at

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from agent.core.source_line import SourceLine
    from agent.worker.browser.raised import AuthorCode

_LOOK = 0.1
"""Seconds between two looks: so exactly is known since when something is waited for."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What is waited for at ``place``: ``Page.click``; "" where no call of Playwright's is."""

    call: str
    place: SourceLine | None
    seconds: float
    target: object = None
    """What the call was made on."""

    def __str__(self) -> str:
        what = f"in {self.call}" if self.call else "in the journey's own code"
        return f"{what} for {self.seconds:.1f} s"


class PendingCall:
    """Looks at a journey's tasks from time to time, without touching them.

    ``tasks`` are those that the journey began, its own among them.
    """

    def __init__(
        self, task: asyncio.Task[Any], tasks: Iterable[asyncio.Task[Any]], code: AuthorCode
    ) -> None:
        self._task = task
        self._tasks = tasks
        self._code = code
        self._key: tuple[int, int] = (0, 0)
        self._since = time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._look)

    def place(self) -> SourceLine | None:
        """Return the author's line at which the journey stands; None where it has ended."""
        author, _ = self._frames()
        return self._code.frame_line(author) if author is not None else None

    def stop(self) -> Pending:
        """Look for the last time; say what is waited for."""
        self._timer.cancel()
        return self.look()

    def look(self) -> Pending:
        """Say what is waited for now."""
        author, call = self._frames()
        self._note(author, call)
        found = call_at(call) if call is not None else None
        return Pending(
            found.name if found else "",
            self._code.frame_line(author) if author is not None else None,
            time.monotonic() - self._since,
            found.target if found else None,
        )

    def _look(self) -> None:
        self._note(*self._frames())
        self._timer = asyncio.get_running_loop().call_later(_LOOK, self._look)

    def _note(self, author: FrameType | None, call: FrameType | None) -> None:
        # A call has a frame of its own; without one it is the line that tells.
        key = (id(call), 0) if call is not None else (id(author), author.f_lineno if author else 0)
        if key != self._key:
            self._key, self._since = key, time.monotonic()

    def _frames(self) -> tuple[FrameType | None, FrameType | None]:
        """Return the author's innermost frame, and that of the call which it awaits.

        Where it awaits tasks of its own, those of the first that is in a call.
        """
        author, call = self._frames_of(self._task)
        if call is None:
            others = [one for one in self._tasks if one is not self._task and not one.done()]
            for other in others:
                inner, call = self._frames_of(other)
                if call is not None:
                    return inner or author, call
        return author, call

    def _frames_of(self, task: asyncio.Task[Any]) -> tuple[FrameType | None, FrameType | None]:
        author = call = None
        awaited: Any = task.get_coro()
        while awaited is not None:
            frame = getattr(awaited, "cr_frame", None)
            if frame is not None and self._code.covers(frame.f_code.co_filename):
                author, call = frame, None
            elif frame is not None and call is None and call_at(frame):
                call = frame
            awaited = _next(awaited)
        return author, call


def _next(awaited: Any) -> Any:  # noqa: ANN401 - a coroutine, a task, a future, an iterator
    return getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
