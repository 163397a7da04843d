"""What the replicas of a location share: a small store, and a word to all of them at once.

Everything here may be away at any moment; whoever asks gets an answer or ``Away`` within
``PATIENCE`` seconds, and at once while the server is known to be gone. So nobody's loop waits
for a server that hangs. The names of keys stand in ``agent/queue/key_names.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 2.0
"""Seconds within which a server answers, or is away."""


class Away(Exception):
    """The server can't be reached in time; says why, with no secret in it.

    What was asked for may have been done all the same: the answer was lost, not the question.
    """


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the store."""

    value: bytes
    revision: int
    """Grows with every change of any key of the location; never the same twice."""
    created: float
    """When this revision was written, in Unix seconds of the server's clock."""


class Store(Protocol):
    """A location's keys and values, as all of its replicas see them. Of one event loop.

    Keys are made of letters, digits and ``-_=/.``, values are 1 MB at most. ``ttl`` is in
    seconds, rounded up to whole ones, 1 at least; a value without one stays, and one that is
    written again has the new ``ttl`` alone. Every method that is awaited raises ``Away``.
    """

    @property
    def connected(self) -> bool:
        """Whether the server answered lately: whoever asks now has a good chance."""
        ...

    @property
    def trouble(self) -> str:
        """Why the server is away, for people, with no secret in it; "" while it is not."""
        ...

    async def until_connected(self, after: int = 0) -> int:
        """Wait until the server is there; return how often it has come (back) until now.

        Whoever gives the number that it returned last waits for the next time::

            times = 0
            while True:
                times = await store.until_connected(after=times)
                await settle()
        """
        ...

    async def create(self, key: str, value: bytes, ttl: float | None = None) -> int | None:
        """Write a key that isn't there and return its revision; None: it is there already."""
        ...

    async def get(self, key: str) -> Entry | None:
        """Return what stands under a key; None: nothing."""
        ...

    async def put(self, key: str, value: bytes, ttl: float | None = None) -> int:
        """Write a key whatever stands there, and return its revision."""
        ...

    async def update(
        self, key: str, value: bytes, revision: int, ttl: float | None = None
    ) -> int | None:
        """Write a key if it still has this revision, return the new one; None: it moved on."""
        ...

    async def delete(self, key: str, revision: int | None = None) -> bool:
        """Take a key away; with a ``revision`` only that one. Return whether there was one."""
        ...

    async def list(self, prefix: str) -> dict[str, Entry]:
        """Return all whose keys begin with ``prefix``, which ends with a dot; "" is all."""
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """Tell all replicas that listen now, this one among them; nothing is kept for others."""
        ...

    def subscribe(self, subject: str, callback: Callable[[bytes], None]) -> Callable[[], None]:
        """Hear what is told from now on, over every break in between; return what ends it.

        ``callback`` is called on the event loop and must not block. What is told while the
        server is away, or to a replica that does not keep up, is lost to it.
        """
        ...


class Replica(Protocol):
    """One replica of the location, as it announces itself."""

    @property
    def instance(self) -> str:
        """Its ``service.instance.id``."""
        ...

    @property
    def bundle(self) -> str:
        """The digest of the journeys that it has."""
        ...

    @property
    def free(self) -> int:
        """How many of its workers wait for a walk."""
        ...

    @property
    def draining(self) -> bool:
        """Whether it takes no more slots."""
        ...


class Replicas(Protocol):
    """Who else is there, as heard lately."""

    def heard(self) -> Sequence[Replica]:
        """Return the location's replicas that were heard lately, this one among them."""
        ...
