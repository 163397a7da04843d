"""Whose journeys a location walks, where its replicas differ: one bundle at any time.

While journeys are changed replica by replica, slots of the newest bundle count, from the moment
on at which a replica with a free worker has it. Which is newest tells the server's order of when
each was first announced, and no clock.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import structlog

from agent.queue import key_names
from agent.queue.shared import Away

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.core.clock import Clock
    from agent.queue.shared import Replica, Replicas, Store

_log = structlog.get_logger("footfall.queue")

_LOOK = 0.7
_JITTER = 0.3
HUNGER = 10.0
"""Seconds for which the owner's replicas have no worker free until an older bundle helps out."""
FORGOTTEN = 30.0
"""Seconds after which a bundle that nobody announces any more is forgotten."""


class Ownership:
    """Looks whose slots are walked, and takes that over where its own bundle is to have it.

    Who takes over knows it first, and the others within a second: so for that second two may
    offer, which costs nothing since the server knows each slot once, and never nobody.
    """

    def __init__(self, store: Store, replicas: Replicas, bundle: str, clock: Clock) -> None:
        self._store = store
        self._replicas = replicas
        self._clock = clock
        self.bundle = bundle
        """The digest of this replica's journeys."""
        self._owner = ""
        self._order: Mapping[str, int] = {}
        self._fed_at = clock.monotonic()
        self._last_heard: dict[str, float] = {}
        self._told = ""

    @property
    def settled(self) -> bool:
        """Whether it is known whose slots are walked, and this replica's bundle is announced."""
        return bool(self._owner) and self.bundle in self._order

    @property
    def owns(self) -> bool:
        """Whether slots of this replica's journeys are walked."""
        return self.settled and self._owner == self.bundle

    @property
    def behind(self) -> bool:
        """Whether others walk newer journeys than this replica has."""
        return self.settled and self._order[self.bundle] < self._order.get(self._owner, 0)

    @property
    def announced(self) -> set[str]:
        """The bundles that were announced lately, by whomever."""
        now = self._clock.monotonic()
        return {one for one, at in self._last_heard.items() if now - at < FORGOTTEN}

    def serve(self, bundle: str) -> None:
        """Have another bundle from now on: journeys were loaded anew."""
        self.bundle = bundle

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            try:
                await self.look()
            except Away:
                await self._clock.sleep(_JITTER * random.random())  # noqa: S311 - spreads
                await self._store.until_connected()
            else:
                await self._clock.sleep(_LOOK + _JITTER * random.random())  # noqa: S311

    async def look(self) -> None:
        """Look once.

        Raises:
            Away: the server can't be reached; what was known before holds on.

        """
        heard = self._replicas.heard()
        now = self._clock.monotonic()
        for one in heard:
            self._last_heard[one.bundle] = now
        self._last_heard[self.bundle] = now
        order = await self._store.list(key_names.BUNDLES)
        if key_names.bundle(self.bundle) not in order:
            await self._store.create(key_names.bundle(self.bundle), b"")
            order = await self._store.list(key_names.BUNDLES)
        self._order = {
            key.removeprefix(key_names.BUNDLES): entry.revision for key, entry in order.items()
        }
        entry = await self._store.get(key_names.OWNER)
        owner = entry.value.decode() if entry is not None else ""
        if any(one.free for one in heard if one.bundle == owner and not one.draining):
            self._fed_at = now
        if takes(self.bundle, owner, self._order, heard, hungry=now - self._fed_at > HUNGER):
            mine = self.bundle.encode()
            taken = (
                await self._store.create(key_names.OWNER, mine)
                if entry is None
                else await self._store.update(key_names.OWNER, mine, entry.revision)
            )
            if taken is None:
                return  # somebody else was faster: the next look tells who
            owner = self.bundle
            self._fed_at = now
        self._owner = owner
        self._tell()
        if self.owns:
            await self._forget()

    async def _forget(self) -> None:
        """Forget bundles that are gone, so that one that comes back is new again."""
        known = self.announced
        for bundle in self._order:
            # One that was never heard may have just been announced.
            if bundle not in known and bundle in self._last_heard:
                await self._store.delete(key_names.bundle(bundle), self._order[bundle])
                del self._last_heard[bundle]
            else:
                self._last_heard.setdefault(bundle, self._clock.monotonic())

    def _tell(self) -> None:
        told = f"{self._owner} {self.behind}"
        if told != self._told:
            self._told = told
            tell = _log.warning if self.behind else _log.info
            event = "bundle.behind" if self.behind else "bundle.owner"
            tell(event, action="queue", owner=self._owner, bundle=self.bundle)


def takes(
    mine: str, owner: str, order: Mapping[str, int], heard: Sequence[Replica], *, hungry: bool
) -> bool:
    """Whether the bundle ``mine`` is to own the slots from now on; ``owner`` "" is nobody.

    ``order`` tells newer bundles by greater numbers. ``hungry``: the owner's replicas have had
    no worker free for long.
    """
    if mine == owner:
        return False
    active = [one for one in heard if not one.draining]
    ready = {one.bundle for one in active if one.free}
    there = {one.bundle for one in active}
    candidates = ready or there
    if mine not in candidates or order.get(mine, 0) < max(order.get(one, 0) for one in candidates):
        return False
    newer = order.get(mine, 0) > order.get(owner, 0)
    return owner not in there or (mine in ready and (newer or hungry))
