"""The pool: as many workers as may walk at once, recycled, bounded and replaced."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from agent.core.clock import SteadyTime
from agent.core.errors import ErrorType
from agent.core.first_of import first_of
from agent.core.model import RestartReason
from agent.core.results import AttemptRecord
from agent.pool.dialogue import Dialogue
from agent.pool.process import Spawn, WorkerProcess
from agent.pool.process_tree import end_orphans
from agent.pool.recycling import PoolOptions, why_replaced, why_succeeded
from agent.pool.retirements import Retirements
from agent.pool.startup import bring_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.pool.stops import Stop
    from agent.pool.walk_listener import Answers, WalkListener
    from agent.protocol.messages import Walk

_log = structlog.get_logger("footfall.workers")

_TAKE_TIMEOUT = 30.0
_LOOK_EVERY = 1.0


class _Closing(Exception):
    """The pool gives out no worker any more."""


class _Stopped(Exception):
    """Who waits for a worker wants none any more."""


class Pool:
    """Hands each walk a worker of its own. At most ``count`` walks may be under way."""

    def __init__(
        self,
        options: PoolOptions,
        spawn: Spawn,
        on_restart: Callable[[str], None],
        numbers: Iterator[int] | None = None,
    ) -> None:
        self._options = options
        self._spawn = spawn
        self._on_restart = on_restart
        self._idle: list[WorkerProcess] = []
        self._busy: dict[WorkerProcess, Dialogue] = {}
        self._starting: set[asyncio.Task[None]] = set()
        self._retirements = Retirements()
        self._outgoing: dict[WorkerProcess, bool] = {}
        """Workers that are due to go, and whether their successors have come."""
        self._numbers = numbers or itertools.count(1)
        self._waiting = 0
        """How many walks wait for a worker."""
        self._changed = asyncio.Condition()
        self._closing = asyncio.Event()
        self._monitor: asyncio.Task[None] | None = None
        self.has_served = False
        """Whether a worker has come up yet."""
        self.trouble = ""
        """Why the last worker or browser would not start; empty where all is well."""

    async def start(self) -> None:
        """Start the workers; returns at once, they come up in the background."""
        for _ in range(0 if self._options.on_demand else self._options.count):
            self._start_one()
        self._monitor = asyncio.create_task(self._watch(), name="pool monitor")

    async def stop(self) -> None:
        """Kill every worker with all that hangs below it."""
        self._closing.set()
        tasks = [*self._starting, *([self._monitor] if self._monitor else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in [*self._idle, *self._busy]:
            self._retirements.retire(worker)
        self._idle.clear()
        await self._retirements.done()
        await self._end_orphans()

    async def abort(self, why: str) -> None:
        """End every walk under way, each with what is known of it, and begin no other."""
        self._closing.set()
        for dialogue in self._busy.values():
            dialogue.end(ErrorType.WORKER_LOST, why)
        await self._notify()

    @property
    def monitor(self) -> asyncio.Task[None]:
        """The task that must live as long as the pool; one that ends early is a fault.

        Raises:
            RuntimeError: the pool has not been started.

        """
        if self._monitor is None:
            raise RuntimeError("the pool has not been started")
        return self._monitor

    def replace_spawn(self, spawn: Spawn) -> None:
        """Start workers differently from now on; those that walk end as they began."""
        self._spawn = spawn
        for worker in self._idle:
            self._retirements.retire(worker)
            if self._outgoing.pop(worker, None) is None:
                self._start_one()
        self._idle.clear()

    def states(self) -> dict[str, int]:
        """Return how many workers are idle, busy and starting."""
        return {
            "idle": len(self._idle),
            "busy": len(self._busy),
            "starting": len(self._starting),
        }

    async def walk(
        self,
        order: Walk,
        listener: WalkListener,
        answers: Answers,
        stop: Stop,
        avoid: int | None = None,
    ) -> AttemptRecord:
        """Walk once, in a worker other than number ``avoid``, and record what came of it.

        However the worker ends, a record comes back: within the launch budget, the timeout
        and the grace; at once where ``stop`` is asked, and ``wake`` called after it.
        """
        time = SteadyTime(self._spawn.clock)
        try:
            async with asyncio.timeout(_TAKE_TIMEOUT):
                worker = await self._take(avoid, stop)
        except TimeoutError:
            detail = self.trouble or "every worker is busy"
            why = f"no worker was ready within {_TAKE_TIMEOUT:.0f} s: {detail}"
            return self._no_walk(time, ErrorType.BROWSER_LAUNCH, why)
        except _Closing:
            return self._no_walk(time, ErrorType.WORKER_LOST, "the agent was stopped")
        except _Stopped:
            record = self._no_walk(time, ErrorType.STOPPED, stop.why)
            return replace(record, last=True)
        dialogue = Dialogue(worker, order, listener, answers, stop, self._spawn.clock)
        self._busy[worker] = dialogue
        try:
            record = await dialogue.run()
        except BaseException:
            self._drop(worker, RestartReason.ABANDONED)
            raise
        record = replace(record, last=self._closing.is_set() or stop.is_asked)
        if record.death is not None:
            self._drop(worker, RestartReason(record.death.value))
        else:
            follow_up = self._put_back(worker, dialogue)
            self._retirements.follow_up(follow_up, f"put back worker {worker.number}")
        return record

    async def rest(self, seconds: float) -> None:
        """Let time pass between two walks of a run; less where there can be no other."""
        await first_of(self._spawn.clock.sleep(seconds), self._closing.wait())

    async def wake(self) -> None:
        """Have those that wait for a worker see whether they are to end."""
        await self._notify()

    def _no_walk(self, time: SteadyTime, death: ErrorType, why: str) -> AttemptRecord:
        return AttemptRecord(
            worker=0,
            started_at=time.started_at,
            ended_at=time.now(),
            death=death,
            detail=why,
            last=self._closing.is_set(),
        )

    async def _take(self, avoid: int | None, stop: Stop) -> WorkerProcess:
        self._waiting += 1
        try:
            return await self._next_free(avoid, stop)
        finally:
            self._waiting -= 1

    async def _next_free(self, avoid: int | None, stop: Stop) -> WorkerProcess:
        async with self._changed:
            while True:
                if self._closing.is_set():
                    raise _Closing
                if stop.is_asked:
                    raise _Stopped
                for worker in self._idle:
                    if worker.number != avoid and not worker.gone.is_set():
                        self._idle.remove(worker)
                        worker.begin_run()
                        return worker
                # While there may be more, one that is to be avoided need not go.
                growing = self._options.on_demand and self._grow()
                for worker in [] if growing else list(self._idle):
                    # Only the one to avoid is free, or one died in its sleep: fresh ones come.
                    self._idle.remove(worker)
                    died = worker.gone.is_set()
                    self._drop(worker, RestartReason.DIED_IDLE if died else RestartReason.FRESH)
                await self._changed.wait()

    def _grow(self) -> bool:
        """Start a worker for who waits, where there may be more of them; return if one comes."""
        starting = len(self._starting)
        count = len(self._idle) + len(self._busy) + starting
        if count < self._options.count and starting < self._waiting:
            self._start_one()
        return bool(self._starting)

    async def _put_back(self, worker: WorkerProcess, dialogue: Dialogue) -> None:
        """Wait until the worker has cleaned up after itself, then keep or recycle it."""
        fit = await dialogue.until_idle()
        strays = await worker.tree.end_strays(self._spawn.clock) if fit else 0
        if strays:
            _log.warning("strays.killed", action="kill", worker=worker.number, processes=strays)
            await self._end_orphans()
        self._busy.pop(worker, None)
        if self._closing.is_set():
            self._retirements.retire(worker)
        elif reason := why_replaced(worker, self._options, self._spawn, fit=fit):
            self._drop(worker, reason)
        elif self._outgoing.get(worker):
            del self._outgoing[worker]
            self._retirements.retire(worker)
        elif worker.runs >= self._options.max_runs:
            self._drop(worker, RestartReason.MAX_RUNS)
        else:
            if reason := why_succeeded(worker, self._options):
                self._succeed(worker, reason)
            self._idle.append(worker)
            await self._notify()

    def _succeed(self, worker: WorkerProcess, reason: RestartReason) -> None:
        """Start another in a worker's place, which serves on until that has come.

        So no slot waits for a worker only because one is replaced.
        """
        if worker not in self._outgoing:
            self._outgoing[worker] = False
            self._on_restart(reason)
            self._start_one(worker)

    def _came(self, predecessor: WorkerProcess | None) -> None:
        """Let a worker go whose successor is up: at once, or after its walk."""
        if predecessor in self._idle:
            self._idle.remove(predecessor)
            del self._outgoing[predecessor]
            self._retirements.retire(predecessor)
        elif predecessor in self._outgoing:
            self._outgoing[predecessor] = True

    def _drop(self, worker: WorkerProcess, reason: RestartReason) -> None:
        """Kill a worker and start another in its place, if that isn't on its way already."""
        self._busy.pop(worker, None)
        self._retirements.retire(worker)
        if not self._closing.is_set() and self._outgoing.pop(worker, None) is None:
            self._on_restart(reason)
            self._start_one()

    def _start_one(self, predecessor: WorkerProcess | None = None) -> None:
        task = asyncio.create_task(self._bring_up(next(self._numbers), predecessor))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _bring_up(self, number: int, predecessor: WorkerProcess | None) -> None:
        worker = await bring_up(number, lambda: self._spawn, self._on_trouble)
        self._came(predecessor)
        self.has_served = True
        self._idle.append(worker)
        await self._notify()

    def _on_trouble(self, trouble: str) -> None:
        self.trouble = trouble

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _watch(self) -> None:
        """Look at every tree once a second: what hangs below, and how much memory it holds."""
        bound = self._options.max_memory
        while True:
            await self._spawn.clock.sleep(_LOOK_EVERY)
            for dialogue in list(self._busy.values()):
                dialogue.look(bound)
            await self._end_orphans()

    async def _end_orphans(self) -> None:
        if self._options.adopt_orphans:
            await end_orphans(WorkerProcess.all, self._spawn.clock)
