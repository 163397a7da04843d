"""What a journey leaves in its process, and putting that right before the next one."""

from __future__ import annotations

import asyncio
import threading
import weakref
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from agent.worker.process_state import ProcessState

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Protocol

    class HasFileno(Protocol):
        """A file, a socket and their like."""

        def fileno(self) -> int:
            """Return the descriptor."""
            ...


_END_WAIT = 0.3
"""Seconds that tasks may take to end once they are cancelled."""

_by_journey: ContextVar[bool] = ContextVar("by_journey", default=False)


class Isolation:
    """Remembers what the process is like, and which tasks journeys start from now on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._loop = loop
        self._watched: set[int] = set()
        """Descriptors that the journey has the loop watch."""
        loop.set_task_factory(self._create)  # type: ignore[arg-type]
        for add in ("add_reader", "add_writer"):
            setattr(loop, add, self._noting(getattr(loop, add)))

    @property
    def tasks(self) -> weakref.WeakSet[asyncio.Task[Any]]:
        """The tasks that the journey began, its own among them."""
        return self._tasks

    def begin(self) -> None:
        """Remember how things stand before a walk."""
        self._tasks.clear()
        self._watched.clear()
        self._threads = weakref.WeakSet(threading.enumerate())
        self._state = ProcessState()

    @staticmethod
    def enter() -> None:
        """Say that the task that calls this is the journey's own; those it starts are too."""
        _by_journey.set(True)

    async def clear(self) -> list[str]:
        """End the journey's tasks and put the process right.

        Returns:
            What would not go: with that, the process is not fit for another walk.

        """
        self._state.restore()
        left = [task for task in self._tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_END_WAIT)
        self._stop_watching()
        still = [f"task {task.get_name()}" for task in left if not task.done()]
        return still + [f"thread {thread.name}" for thread in self._new_threads()]

    def _stop_watching(self) -> None:
        """Take the journey's descriptors off the loop.

        One that was closed meanwhile has left the kernel's list, but not the loop's: whatever
        gets its number next would be taken for it, and never be woken.
        """
        for descriptor in self._watched:
            for remove in (self._loop.remove_reader, self._loop.remove_writer):
                # One that a connection uses by now is watched for that.
                with suppress(OSError, RuntimeError, ValueError):
                    remove(descriptor)

    def _noting(self, add: Callable[..., None]) -> Callable[..., None]:
        def noted(file: int | HasFileno, callback: Callable[..., object], *args: object) -> None:
            if _by_journey.get():
                self._watched.add(file if isinstance(file, int) else file.fileno())
            add(file, callback, *args)

        return noted

    def _new_threads(self) -> list[threading.Thread]:
        # The loop's own helpers wait for work, and belong to it.
        return [
            thread
            for thread in threading.enumerate()
            if thread not in self._threads and not thread.name.startswith("asyncio_")
        ]

    def _create(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any],
        **options: Any,  # noqa: ANN401 - more with each version of Python
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **options)
        if _by_journey.get():
            self._tasks.add(task)
        return task
