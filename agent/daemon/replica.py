"""The stations that an agent has where it is one of several replicas: ``queue.url`` is given."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from agent.core.origins import bracketed
from agent.loading.load import VERSION
from agent.loading.queue_endpoint import queue_endpoint
from agent.queue.shared import Away
from agent.replicas.board import Board
from agent.replicas.leader import Leader
from agent.replicas.presence import Announcement, Presence
from agent.replicas.shared_deploys import SharedDeploys
from agent.replicas.shared_gates import SharedGates
from agent.replicas.shared_pauses import SharedPauses
from agent.replicas.shared_rollups import SharedRollups
from agent.replicas.verdicts import SharedVerdicts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from contextlib import AsyncExitStack

    from agent.config import Settings
    from agent.core.clock import Clock
    from agent.loading.load import Loaded
    from agent.queue.nats.location import Location
    from agent.queue.shared import Store
    from agent.schedule.pauses import Pause, Pauses
    from agent.storage.database import Database

_log = structlog.get_logger("footfall.replicas")

_FIRST = 5.0
"""Seconds that a start waits for the server; after that the agent goes on without it."""
_GONE = 30.0
"""Seconds between two looks for outages of journeys that are gone."""
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not listened on


@dataclass(frozen=True, slots=True)
class Doing:
    """What a replica does at this moment."""

    workers: int
    free: int
    running: Sequence[str]


class Replica:
    """What this agent shares with the others of its location."""

    def __init__(
        self,
        location: Location,
        settings: Settings,
        instance: str,
        port: int,
        database: Database,
        pauses: Pauses,
        clock: Clock,
    ) -> None:
        self.location = location
        self.store: Store = location.store
        self.instance = instance
        self._settings = settings
        self._port = port
        self._since = clock.wall()
        self._clock = clock
        self.board = Board(self.store, clock)
        self.leader = Leader(self.store, instance, clock)
        self.presence = Presence(self.store, self._describe, clock)
        self.verdicts = SharedVerdicts(
            self.store, self.board, database, settings.location, instance
        )
        self.pauses = SharedPauses(self.store, pauses, clock)
        self.rollups = SharedRollups(
            self.store, self.board, database, settings.location, instance, clock
        )
        self.gates = SharedGates(self.store, self.board, database, instance, self._is_heard, clock)
        self.deploys = SharedDeploys(self.board, database)
        self._doing: Callable[[], Doing] = lambda: Doing(0, 0, ())
        self._bundle = ""
        self._enabled: frozenset[str] = frozenset()

    @property
    def trouble(self) -> str:
        """Why the server is away; "" while it answers."""
        return "" if self.store.connected else self.store.trouble or "no answer"

    @property
    def heard(self) -> int:
        """How many replicas of the location are heard, this one among them; 0: it is cut off."""
        return len(self.presence.heard()) if self.store.connected else 0

    def describe_by(self, doing: Callable[[], Doing]) -> None:
        """Have this asked for what the replica does."""
        self._doing = doing

    def load(self, loaded: Loaded) -> None:
        """Announce that these journeys are loaded."""
        self._bundle = loaded.bundle
        self._enabled = frozenset(one.name for one in loaded.journeys if one.enabled)

    async def begin(self) -> None:
        """Take up what the location knows, before anything walks.

        A server that is away is waited for a moment only: what was paused here still is, and
        nothing is walked without it.
        """
        try:
            async with asyncio.timeout(_FIRST):
                await self.store.until_connected()
                await self.pauses.begin()
                await self.verdicts.begin()
                await self.board.read_all()
        except (TimeoutError, Away):
            why = self.store.trouble or "no answer in time"
            _log.error("queue.away", action="start", error=why)

    def tasks(
        self, on_paused: Callable[[Sequence[Pause]], Awaitable[None]]
    ) -> dict[str, Coroutine[object, object, object]]:
        """Return what goes on as long as the agent does, by name."""
        return {
            "presence": self.presence.run(),
            "leader": self.leader.run(),
            "board": self.board.follow(),
            "incidents": self._end_gone(),
            "shared roll-ups": self.rollups.run(),
            "shared pauses": self.pauses.follow(on_paused),
        }

    async def _end_gone(self) -> None:
        """Have one replica, whose journeys are walked, end what no journey would end any more."""
        while True:
            await self._clock.sleep(_GONE)
            if self.leader.is_leader and self.presence.owner == self._bundle:
                with suppress(Away):
                    await self.verdicts.end_gone(self._enabled, self._clock.wall())

    def _is_heard(self, instance: str) -> bool:
        return any(one.instance == instance for one in self.presence.heard())

    def _describe(self) -> Announcement:
        doing, server = self._doing(), self._settings.server
        return Announcement(
            instance=self.instance,
            version=VERSION,
            host=socket.gethostname(),
            address=f"http://{bracketed(_reached(server.host))}:{self._port}",
            url=server.url,
            workers=doing.workers,
            free=doing.free,
            bundle=self._bundle,
            since=self._since,
            running=list(doing.running),
        )


async def open_replica(
    stack: AsyncExitStack,
    loaded: Loaded,
    instance: str,
    port: int,
    database: Database,
    pauses: Pauses,
    clock: Clock,
) -> Replica | None:
    """Build the stations where the configuration has a server; None: the agent is alone."""
    settings = loaded.settings
    endpoint = queue_endpoint(settings)
    if endpoint is None:
        return None
    # The library takes its time to be imported.
    from agent.queue.nats.location import opened

    opening = opened(endpoint, settings.location, settings.environment, clock)
    location = await stack.enter_async_context(opening)
    replica = Replica(location, settings, instance, port, database, pauses, clock)
    stack.push_async_callback(replica.presence.leave)
    replica.load(loaded)
    await replica.begin()
    return replica


def _reached(host: str) -> str:
    """Return under which name others reach what listens there."""
    if host not in _WILDCARDS:
        return host
    name = socket.gethostname()
    try:
        return socket.gethostbyname(name)
    except OSError:
        return name
