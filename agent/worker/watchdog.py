"""Noticing that the worker's event loop stands still, and whose code it is that blocks it."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent.protocol.messages import Blocked
from agent.worker import pipe

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import FrameType

    from agent.worker.browser.raised import AuthorCode

_PIPE = pipe.__file__
_BEAT = 0.1
_LOOK = 0.25
_WORTH_TELLING = 0.5
"""Seconds of standstill from which on the supervisor is told."""


class Watchdog:
    """A heartbeat on the loop, and a thread that looks at the main thread when it stops."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        code: AuthorCode,
        on_blocked: Callable[[Blocked], None],
    ) -> None:
        self._loop = loop
        self._code = code
        self._on_blocked = on_blocked
        self._main = threading.main_thread().ident or 0
        self._beat_at = time.monotonic()
        self._busy = threading.Event()
        self._longest = 0.0
        self._worst = 0.0
        self._blocked_at = ""

    def start(self) -> None:
        """Start the thread; it looks only while a walk goes on."""
        threading.Thread(target=self._look, name="footfall-watchdog", daemon=True).start()

    def begin(self) -> None:
        """Start measuring for one walk or import."""
        self._longest = self._worst = 0.0
        self._blocked_at = ""
        self._beat_at = time.monotonic()
        self._busy.set()
        self._loop.call_later(_BEAT, self._beat)

    def end(self) -> tuple[float, str]:
        """Stop measuring; return the longest standstill in seconds and the journey's place."""
        self._busy.clear()
        return self._longest, self._blocked_at

    def _beat(self) -> None:
        now = time.monotonic()
        self._longest = max(self._longest, now - self._beat_at - _BEAT)
        self._beat_at = now
        if self._busy.is_set():
            self._loop.call_later(_BEAT, self._beat)

    def _look(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(_LOOK)
            still = time.monotonic() - self._beat_at
            if still < _WORTH_TELLING or not self._busy.is_set():
                continue
            where, in_journey = self._place(sys._current_frames().get(self._main))  # noqa: SLF001 - there is no public word
            if in_journey and still > self._worst:
                self._worst, self._blocked_at = still, where
            self._on_blocked(Blocked(still, where, in_journey))

    def _place(self, top: FrameType | None) -> tuple[str, bool]:
        frame = top
        while frame is not None:
            if frame.f_code.co_filename == _PIPE:
                # It waits for the supervisor, which is nobody's fault but the agent's.
                break
            if self._code.covers(frame.f_code.co_filename):
                name = Path(frame.f_code.co_filename).relative_to(self._code.folder)
                return f"{name.as_posix()}:{frame.f_lineno}", True
            frame = frame.f_back
        return (f"{top.f_code.co_filename}:{top.f_lineno}" if top else "unknown"), False
