"""The replicas' store without a server: several of one location, each of which can be cut off."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, TypeVar

from agent.queue.shared import Away, Entry
from tests.support.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.core.clock import Clock

T = TypeVar("T")


class MemoryServer:
    """What the stores of one location stand on; ``clock`` is the server's."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.stores: list[MemoryStore] = []
        self._entries: dict[str, tuple[Entry, float]] = {}
        """Each with the monotonic second at which it expires."""
        self._revision = 0

    def store(self) -> MemoryStore:
        """One more replica's store."""
        self.stores.append(MemoryStore(self))
        return self.stores[-1]

    def stop(self) -> None:
        """Be away for all."""
        for store in self.stores:
            store.cut()

    def start(self) -> None:
        """Be there again for all."""
        for store in self.stores:
            store.mend()

    def entries(self) -> dict[str, Entry]:
        """All that has not expired, oldest revision first."""
        now = self.clock.monotonic()
        self._entries = {key: one for key, one in self._entries.items() if one[1] > now}
        return {key: entry for key, (entry, _) in self._entries.items()}

    def write(self, key: str, value: bytes, ttl: float | None) -> int:
        self._revision += 1
        until = math.inf if ttl is None else self.clock.monotonic() + max(math.ceil(ttl), 1)
        self._entries.pop(key, None)
        self._entries[key] = Entry(value, self._revision, self.clock.wall()), until
        return self._revision

    def remove(self, key: str) -> None:
        self._entries.pop(key, None)

    def tell(self, subject: str, data: bytes) -> None:
        for store in self.stores:
            store.hear(subject, data)


class MemoryStore:
    """One replica's end of it: an ``agent.queue.shared.Store``.

    ``lost_answers`` is how many of the next writes are done though their answers are lost.
    """

    def __init__(self, server: MemoryServer) -> None:
        self.connected = True
        self.lost_answers = 0
        self._server = server
        self._times = 1
        self._came = asyncio.Event()
        self._heard: list[tuple[str, Callable[[bytes], None]]] = []

    @property
    def trouble(self) -> str:
        return "" if self.connected else "cut off"

    def cut(self) -> None:
        """Have the server be away for this replica alone."""
        self.connected = False

    def mend(self) -> None:
        """Have it back."""
        if not self.connected:
            self.connected = True
            self._times += 1
            self._came.set()
            self._came = asyncio.Event()

    async def until_connected(self, after: int = 0) -> int:
        while not self.connected or self._times <= after:
            await self._came.wait()
        return self._times

    async def create(self, key: str, value: bytes, ttl: float | None = None) -> int | None:
        await self._reach()
        if key in self._server.entries():
            return self._answer(None)
        return self._answer(self._server.write(key, value, ttl))

    async def get(self, key: str) -> Entry | None:
        await self._reach()
        return self._server.entries().get(key)

    async def put(self, key: str, value: bytes, ttl: float | None = None) -> int:
        await self._reach()
        return self._answer(self._server.write(key, value, ttl))

    async def update(
        self, key: str, value: bytes, revision: int, ttl: float | None = None
    ) -> int | None:
        await self._reach()
        entry = self._server.entries().get(key)
        if entry is None or entry.revision != revision:
            return self._answer(None)
        return self._answer(self._server.write(key, value, ttl))

    async def delete(self, key: str, revision: int | None = None) -> bool:
        await self._reach()
        entry = self._server.entries().get(key)
        found = entry is not None and revision in {None, entry.revision}
        if found:
            self._server.remove(key)
        return self._answer(found)

    async def list(self, prefix: str) -> dict[str, Entry]:
        await self._reach()
        return {key: one for key, one in self._server.entries().items() if key.startswith(prefix)}

    async def publish(self, subject: str, data: bytes) -> None:
        await self._reach()
        self._server.tell(subject, data)

    def subscribe(self, subject: str, callback: Callable[[bytes], None]) -> Callable[[], None]:
        heard = subject, callback
        self._heard.append(heard)
        return lambda: self._heard.remove(heard) if heard in self._heard else None

    def hear(self, subject: str, data: bytes) -> None:
        for one, callback in list(self._heard):
            if self.connected and one == subject:
                callback(data)

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if not self.connected:
            raise Away("cut off")

    def _answer(self, answer: T) -> T:
        if self.lost_answers:
            self.lost_answers -= 1
            raise Away("the answer was lost")
        return answer
