"""What is looked after beside the claims: how many slots wait, and consumers of what is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from agent.queue.nats import streams
from agent.queue.nats.session import Refused
from agent.queue.ownership import FORGOTTEN
from agent.queue.shared import Away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.clock import Clock
    from agent.queue.nats.uplink import Uplink
    from agent.queue.nats.work_queue import WorkQueue
    from agent.queue.ownership import Ownership

_log = structlog.get_logger("footfall.queue")

_EVERY = 5.0


class Upkeep:
    """Looks after the consumers of a location. Every replica does; doing it twice is no harm."""

    def __init__(
        self,
        uplink: Uplink,
        location: str,
        queues: Sequence[WorkQueue],
        ownership: Ownership,
        clock: Clock,
    ) -> None:
        self._uplink = uplink
        self._location = location
        self._queues = queues
        self._ownership = ownership
        self._clock = clock
        self._first_seen: dict[str, float] = {}

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            await self._uplink.until_connected()
            try:
                await self.look()
            except (Away, Refused) as error:
                _log.info("consumers.unseen", action="queue", reason=str(error))
            await self._clock.sleep(_EVERY)

    async def look(self) -> None:
        """Look once.

        Raises:
            Away: the server can't be reached.
            Refused: it doesn't tell.

        """
        session = self._uplink.session
        for queue in self._queues:
            await queue.stand(session)
        orphans: dict[str, list[str]] = {queue.lane: [] for queue in self._queues}
        for told in await streams.consumers(session, self._location):
            bundle, _, lane = str(told["name"]).rpartition("-")
            waiting = int(told["num_pending"])
            if bundle == self._ownership.bundle:
                for queue in self._queues:
                    if queue.lane == lane:
                        queue.depth = waiting
            elif self._is_gone(bundle):
                if waiting or told["num_ack_pending"]:
                    orphans.setdefault(lane, []).append(bundle)
                else:
                    await streams.remove_consumer(session, self._location, told["name"])
                    _log.info("consumer.removed", action="queue", bundle=bundle, lane=lane)
        for queue in self._queues:
            queue.orphans = tuple(orphans[queue.lane]) if self._ownership.owns else ()

    def _is_gone(self, bundle: str) -> bool:
        """Whether nobody has announced a bundle for so long that nobody is about to."""
        now = self._clock.monotonic()
        if bundle in self._ownership.announced:
            self._first_seen.pop(bundle, None)
            return False
        return now - self._first_seen.setdefault(bundle, now) >= FORGOTTEN
