"""Whether the agent lives, and whether it can measure and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.server.health import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.core.clock import Clock
    from agent.daemon.in_force import InForce
    from agent.daemon.replica import Replica
    from agent.daemon.switch import Switch
    from agent.runs.dispatcher import Dispatcher
    from agent.runs.engine import Engine
    from agent.storage.database import Database
    from agent.telemetry.telemetry import Telemetry

_STALE_TICK = 5.0
"""Seconds without a tick after which the schedule counts as stuck."""
_FULL = 0.95
"""The share of its bound at which the spool counts as full: soon it will drop."""
_WHY = "why stands in the agent's log, and here for who shows its token"
"""What anybody hears in place of an error's text."""


class Readiness:
    """Asks the stations."""

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        telemetry: Telemetry,
        database: Database,
        in_force: InForce,
        switch: Switch,
        clock: Clock,
        replica: Replica | None = None,
    ) -> None:
        self._replica = replica
        self._engine = engine
        self._dispatcher = dispatcher
        self._telemetry = telemetry
        self._database = database
        self._in_force = in_force
        self._switch = switch
        self._clock = clock
        self.ticked()

    def ticked(self) -> None:
        """Note that the schedule turns."""
        self._ticked_at = self._clock.monotonic()

    def alive(self) -> Check:
        """Whether the loop turns and the schedule ticks."""
        silent = self._clock.monotonic() - self._ticked_at
        if self._database.trouble:
            # The schedule waits for its disk, which no restart would mend.
            return Check(True, f"waits for the state folder: {self._database.trouble}")
        return Check(silent < _STALE_TICK, f"ticked {silent:.1f} s ago")

    async def ready(self) -> Mapping[str, Check]:
        """Whether there are workers, journeys, a canary that answers and room in the spool."""
        canary = await self._engine.canary_trouble()
        return {
            "workers": self._workers(),
            "journeys": self._journeys(),
            "canary": Check(not canary, canary or "answers"),
            "state": Check(not self._database.trouble, self._database.trouble or "can be written"),
            "spool": await self._spool(),
            "telemetry": self._delivery(),
            "reload": self._reload(),
            "pauses": self._pauses(),
            **({} if self._replica is None else {"queue": self._queue(self._replica)}),
        }

    def _workers(self) -> Check:
        pools = self._engine.pools
        states = pools.browsers.states()
        listed = ", ".join(f"{number} {state}" for state, number in states.items())
        # Where all are replaced at once, as by a reload, the next ones are a second away.
        coming = pools.browsers.has_served and states["starting"] > 0
        up = coming or states["idle"] + states["busy"] > 0
        if not pools.trouble:
            return Check(up, listed)
        # The browser's own words have its whole command line in them.
        return Check(
            False, pools.trouble, f"{listed}; a worker or its browser doesn't start; {_WHY}"
        )

    def _journeys(self) -> Check:
        loaded = len(self._dispatcher.journeys)
        if not self._in_force.now.broken:
            return Check(loaded > 0, f"{loaded} loaded")
        # An error's text may quote anything of the file.
        files = ", ".join(problem.where for problem in self._in_force.now.broken)
        told = "; ".join(str(problem) for problem in self._in_force.now.broken)
        return Check(False, told, f"can't be loaded: {files}; {_WHY}")

    def _reload(self) -> Check:
        if not self._in_force.refused:
            return Check(True, "none was refused")
        told = f"the last one was refused: {self._in_force.refused}"
        return Check(True, told, f"the last one was refused; {_WHY}", degraded=True)

    def _pauses(self) -> Check:
        if not self._switch.trouble:
            return Check(True, "would outlive a restart")
        told = "what is paused would not be so after a restart"
        return Check(True, f"{told}: {self._switch.trouble}", f"{told}; {_WHY}", degraded=True)

    def _queue(self, replica: Replica) -> Check:
        if trouble := replica.trouble:
            told = (
                "the server of queue.url is away: no slot is walked at this location until it is "
                "back, pausing is refused, and what this page tells of other replicas is old"
            )
            return Check(True, f"{told} ({trouble})", told, degraded=True)
        heard = replica.presence.heard()
        counted = "1 replica is heard" if len(heard) == 1 else f"{len(heard)} replicas are heard"
        return Check(True, f"{counted}, this one among them")

    def _delivery(self) -> Check:
        condition = self._telemetry.condition()
        return Check(True, condition.detail, degraded=condition.degraded)

    async def _spool(self) -> Check:
        if self._database.trouble:
            return Check(False, "can't be read now")
        backlog = (await self._telemetry.backlog()).values()
        size = sum(entry.size for entry in backlog)
        waiting = sum(entry.items for entry in backlog)
        detail = f"{waiting} items, {size} bytes wait for the collector"
        full = size >= self._in_force.now.settings.telemetry.spool_bytes * _FULL
        # The agent still measures, and its page is where people look meanwhile.
        return Check(True, f"{detail}; it is full" if full else detail, degraded=full)
