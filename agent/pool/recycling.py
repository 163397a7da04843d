"""When a worker is replaced, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.model import RestartReason

if TYPE_CHECKING:
    from agent.pool.process import Spawn, WorkerProcess


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """Bounds of the pool: ages in seconds, memory in bytes."""

    count: int
    max_runs: int
    max_age: float
    max_memory: int
    adopt_orphans: bool = True
    """Whether every child of this process is a worker, or lost by one: the pool's to end."""
    on_demand: bool = False
    """Whether a worker is started only when a walk waits for one."""


def why_replaced(
    worker: WorkerProcess, options: PoolOptions, spawn: Spawn, *, fit: bool
) -> RestartReason | None:
    """Return why a worker may not walk again after a walk; None: it may.

    ``spawn`` is how workers are started now, ``fit`` what it said of itself.
    """
    if not fit:
        return RestartReason.UNFIT
    if worker.spawn is not spawn:
        return RestartReason.SETTINGS
    if worker.tree.memory(options.max_memory) > options.max_memory:
        return RestartReason.MAX_MEMORY
    return None


def why_succeeded(worker: WorkerProcess, options: PoolOptions) -> RestartReason | None:
    """Return why another should be started in a worker's place while it serves on."""
    if worker.runs >= options.max_runs - 1:
        return RestartReason.MAX_RUNS
    if worker.age >= options.max_age:
        return RestartReason.MAX_AGE
    return None
