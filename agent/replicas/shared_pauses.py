"""Pauses of the whole location: set, resumed and heard of at any replica, within a second.

All pauses are one document. Merging two states of it comes to the same in whatever order, so a
replica that was away, or that had pauses of its own before it was one, adds what it knows; and a
server that has lost everything gets it back.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from agent.core.first_of import first_of
from agent.queue import key_names
from agent.queue.shared import Away
from agent.schedule import pause_record
from agent.schedule.pauses import Pauses

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from agent.core.clock import Clock
    from agent.queue.shared import Entry, Store
    from agent.schedule.pauses import Pause

_log = structlog.get_logger("footfall.replicas")

_SUBJECT: Final = "pauses"
_LOOK: Final = 0.7
_JITTER: Final = 0.2
"""Seconds, at most, by which a look is later."""
_TRIES: Final = 100


class SharedPauses:
    """Keeps ``pauses`` like those of the location; ``on_heard`` gets those that others set."""

    def __init__(self, store: Store, pauses: Pauses, clock: Clock) -> None:
        self._store = store
        self._pauses = pauses
        self._clock = clock
        self._told = asyncio.Event()
        self._seen = 0
        """The newest revision that was taken in."""
        self._withdrawn: set[str] = set()
        """Those that were refused here, and may stand there all the same."""

    async def begin(self) -> None:
        """Take in what the location has paused, and add what was paused here.

        Raises:
            Away: the server can't be reached.

        """
        entry = await self._store.get(key_names.PAUSES)
        if entry is not None:
            # The others know what this replica's damaged file doesn't tell any more.
            known = (one for one in self._pauses.known if not pause_record.is_made_up(one))
            self._pauses.keep(known)
        await self._take_in(entry)

    async def add(self, pause: Pause) -> None:
        """Pause for all.

        Raises:
            Away: the server can't be reached. Nothing is paused then; should the server have
                heard of it, it is withdrawn as soon as the server answers again.

        """
        try:
            await self._change(lambda pauses: pauses.set(pause))
        except Away:
            self._withdrawn.add(pause.id)
            raise
        await self._tell()

    async def resume(self, journeys: Collection[str] | None, now: float) -> list[Pause]:
        """Have every pause let these journeys go (None: all), for all; return those that did.

        Raises:
            Away: the server can't be reached, and they are resumed or not.

        """
        changed: list[Pause] = []

        def let_go(pauses: Pauses) -> None:
            changed[:] = pauses.resume(journeys, now)

        await self._change(let_go)
        await self._tell()
        return changed

    async def follow(self, on_heard: Callable[[Sequence[Pause]], Awaitable[None]]) -> None:
        """Take in what others pause and resume, until cancelled."""
        end = self._store.subscribe(_SUBJECT, lambda _: self._told.set())
        try:
            while True:
                self._told.clear()
                try:
                    before = self._pauses.known
                    new = await self._look()
                    if self._pauses.known != before:
                        await on_heard(new)
                except Away:
                    pass  # what is paused stays so
                rest = _LOOK + _JITTER * random.random()  # noqa: S311 - so that they part
                await first_of(self._told.wait(), self._clock.sleep(rest))
        finally:
            end()

    async def _look(self) -> list[Pause]:
        entry = await self._store.get(key_names.PAUSES)
        if entry is not None and entry.revision == self._seen and not self._withdrawn:
            return []
        return await self._take_in(entry)

    async def _take_in(self, entry: Entry | None) -> list[Pause]:
        """Take in what the location knows, and give it what it doesn't; return what is new."""
        there = _read(entry)
        withdrawn = self._withdrawn & {one.id for one in there}
        new = [one for one in self._pauses.merge(there) if one.id not in withdrawn]
        if withdrawn:
            self._withdraw(withdrawn)
        self._withdrawn.clear()
        if entry is not None and self._pauses.known == _merged(there):
            self._seen = entry.revision
        else:
            await self._change(lambda _: None)
        return new

    def _withdraw(self, withdrawn: Collection[str]) -> None:
        now = self._clock.wall()
        self._pauses.keep(
            replace(one, ended=now) if one.id in withdrawn else one for one in self._pauses.known
        )
        _log.warning("pause.withdrawn", action="pause", pauses=sorted(withdrawn))

    async def _change(self, change: Callable[[Pauses], None]) -> None:
        """Change what the location has paused, whatever others change meanwhile; then keep it."""
        for _ in range(_TRIES):
            entry = await self._store.get(key_names.PAUSES)
            pauses = Pauses(self._pauses.known)
            pauses.merge(_read(entry))
            change(pauses)
            value = pause_record.dumps(pauses.known).encode()
            if entry is None:
                revision = await self._store.create(key_names.PAUSES, value)
            else:
                revision = await self._store.update(key_names.PAUSES, value, entry.revision)
            if revision is not None:
                self._pauses.keep(pauses.known)
                self._seen = revision
                return
        raise Away("the pauses were changed by others all the time")

    async def _tell(self) -> None:
        try:
            await self._store.publish(_SUBJECT, b"")
        except Away as error:
            # It stands; the others look by themselves.
            _log.info("replicas.untold", action="tell", key=key_names.PAUSES, error=str(error))


def _read(entry: Entry | None) -> list[Pause]:
    if entry is None:
        return []
    try:
        return pause_record.loads(entry.value)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        _log.error("pause.unreadable", action="pause", error=f"the shared pauses: {error}")
        return []


def _merged(pauses: Sequence[Pause]) -> tuple[Pause, ...]:
    known = Pauses()
    known.merge(pauses)
    return known.known
