"""The books of one replica among several: they have what this replica gave the word to.

What is expected is counted together with the word, by whoever gives it, so that at every commit
``expected = results + skips`` holds here, and over all replicas each slot has one word. A word
goes three steps: it is held in the own database, the store says whose it is, and it is counted
or forgotten. Each may be repeated, so a kill between any two is made good by ``settle``.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from agent.core import ids
from agent.core.model import SkipReason
from agent.core.results import Result
from agent.queue import key_names
from agent.queue.shared import Away
from agent.runs.ledger import Fate, Ledger
from agent.runs.replicated import pending_words, run_record
from agent.runs.replicated.pending_words import Kind
from agent.schedule import slots
from agent.schedule.decision import Skip
from agent.schedule.slots import Unfinished

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from agent.core.clock import Clock
    from agent.core.model import Journey, Slot
    from agent.core.results import RunResult
    from agent.core.suspension import Suspension
    from agent.queue.shared import Store
    from agent.runs.ledger import Written
    from agent.runs.replicated.pending_words import Pending
    from agent.schedule.decision import Decision
    from agent.storage.database import Database
    from agent.storage.run_end import Turn
    from agent.storage.verdicts import Verdicts
    from agent.telemetry.telemetry import Telemetry

_log = structlog.get_logger("footfall.dispatch")

WORDS_KEPT: Final = 26 * 3600.0
"""Seconds for which the store keeps whose word a slot has: longer than any gap is counted back."""
_SETTLED_WITHIN: Final = 25 * 3600.0
"""Seconds after a slot from which nobody can tell any more whether it has a word."""
_AT_ONCE: Final = 32
"""Words that are settled side by side."""
_LEFT: Final = frozenset({SkipReason.LATE, SkipReason.DOWN, SkipReason.SHUTDOWN})
"""What a replica says of itself alone: another may walk the slot."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a replica has in common with the others of its location."""

    store: Store
    instance: str
    """Which of them it is."""
    owns: Callable[[], bool]
    """Whether its journeys are those whose slots are walked now."""
    rerun: bool
    """Whether a slot is walked again whose replica was lost under it."""


class ReplicaLedger(Ledger):
    """Writes down what this replica gives the word to, once the store has said that it may."""

    def __init__(
        self,
        database: Database,
        telemetry: Telemetry,
        location: str,
        suspended: Callable[[Journey, float], Sequence[Suspension]],
        verdicts: Verdicts | None,
        clock: Clock,
        shared: Sharing,
    ) -> None:
        super().__init__(database, telemetry, location, suspended, verdicts)
        self._clock = clock
        self._shared = shared
        self._settling: set[str] = set()
        self.held = asyncio.Event()
        """Set when a word is held that nobody settles yet."""

    async def decide(self, decisions: Sequence[Decision], ahead: float = 0.0) -> None:
        """Leave every slot to whoever gives it its word first, and hold the words of skips.

        All replicas decide the same skips, and one of them has its word count. What a replica
        missed is none of these: others may have walked it.
        """
        owns = self._shared.owns()

        def write(connection: sqlite3.Connection) -> bool:
            held = False
            for decision in decisions:
                if not isinstance(decision, Skip):
                    slots.elsewhere(connection, decision.slot)
                    continue
                fresh = slots.elsewhere(connection, decision.slot, decision.since, decision.count)
                if fresh and owns and decision.reason not in _LEFT:
                    held |= pending_words.skip(connection, decision, ahead)
            return held

        if await self._database.transaction(write):
            self.held.set()

    async def start(self, run_id: str, slot: Slot) -> Fate:
        """Note that a claimed slot is to be walked, unless it has a word."""

        def write(connection: sqlite3.Connection) -> bool:
            known = slots.state_of(connection, run_id)
            return (known is None or known[1] == "elsewhere") and pending_words.claim(
                connection, run_id, slot
            )

        if not await self._database.transaction(write):
            return Fate.ENDED
        try:
            worded = await self._shared.store.get(key_names.word(run_id)) is not None
        except Away:
            await self._drop(run_id)
            return Fate.LEFT
        if worded:
            await self._drop(run_id)
        return Fate.ENDED if worded else Fate.WALK

    async def skip(self, run_id: str, slot: Slot, reason: SkipReason) -> Fate:  # noqa: ARG002
        """End a claimed slot that is not to be walked, unless another may walk it."""
        if reason in _LEFT:
            return Fate.LEFT
        await self.give(Skip(slot, reason))
        return Fate.ENDED

    async def give(self, skip: Skip) -> None:
        """Give slots their word that nobody has walked or is to walk, unless they have one."""
        await self._database.transaction(
            lambda connection: pending_words.skip(connection, skip, 0.0)
        )
        await self.settle(ids.run_id(skip.slot))

    async def finish(self, run: RunResult, at: float, now: float) -> Turn | None:
        """End a slot that was walked here with its result, unless it has another word."""
        packed = run_record.pack(run)
        held = await self._database.transaction(
            lambda connection: pending_words.end(connection, run.run_id, packed, at, now)
        )
        if not held:
            # Of the time before this agent had others beside it.
            return await super().finish(run, at, now)
        return await self.settle(run.run_id, run)

    async def unfinished(self) -> list[Unfinished]:
        """Return the slots that a killed predecessor left without a word.

        Where they are walked again, whoever claims them says what they come to.
        """
        if self._shared.rerun:
            await self._database.transaction(self._forget_claims)
        claims = await self._database.transaction(
            lambda connection: pending_words.claimed(connection, self._location)
        )
        left = [Unfinished(one.run_id, one.slot, running=True) for one in claims]
        return [*await super().unfinished(), *left]

    async def forget(self, unfinished: Unfinished) -> None:
        """End a slot of a journey that is no longer known, after its agent was killed."""
        lost = await self._database.transaction(
            lambda connection: pending_words.lose(connection, unfinished.run_id)
        )
        if lost:
            self.held.set()
        elif unfinished.running:
            await super().forget(unfinished)
        else:
            await super().skip(unfinished.run_id, unfinished.slot, SkipReason.DOWN)

    async def settle_all(self) -> None:
        """Settle every word that is held; those for which the store is away stay."""
        held = await self._database.transaction(
            lambda connection: pending_words.to_settle(connection, self._location)
        )
        for first in range(0, len(held), _AT_ONCE):
            some = held[first : first + _AT_ONCE]
            await asyncio.gather(*(self.settle(run_id) for run_id in some))

    async def settle(self, run_id: str, run: RunResult | None = None) -> Turn | None:
        """Have the store say whose word a slot has, and count it if it is the one held here.

        Args:
            run_id: whose slot.
            run: the result that is held, where it is at hand.

        Return the turn that its journey took with it, if it did.

        """
        if run_id in self._settling:
            return None
        self._settling.add(run_id)
        try:
            held = await self._database.transaction(partial(pending_words.read, run_id=run_id))
            if held is None or held.kind is Kind.CLAIMED:
                return None
            if await self._is_ours(held):
                return await self._count(held, run)
            await self._drop(run_id)
            _log.info("word.elsewhere", action="settle", run_id=run_id, journey=held.slot.journey)
        except Away as error:
            _log.info("word.waits", action="settle", run_id=run_id, error=str(error))
        finally:
            self._settling.discard(run_id)
        return None

    async def _is_ours(self, held: Pending) -> bool:
        """Whether it is this replica's word that counts."""
        if self._clock.wall() - held.slot.scheduled_at > _SETTLED_WITHIN:
            return False
        store, key = self._shared.store, key_names.word(held.run_id)
        word = json.dumps({"instance": self._shared.instance, "word": held.word}).encode()
        if await store.create(key, word, WORDS_KEPT) is not None:
            return True
        # It may be from before a kill, or its answer was lost.
        there = await store.get(key)
        return there is not None and _giver(there.value) == self._shared.instance

    async def _count(self, held: Pending, run: RunResult | None) -> Turn | None:
        if held.kind is Kind.RESULT:
            try:
                return await self._count_run(run or run_record.unpack(held.run), held)
            except (ValueError, TypeError, LookupError) as error:
                # By another version of the agent, say. It was walked all the same.
                _log.error("run.unreadable", action="settle", run_id=held.run_id, error=str(error))
        await self._database.transaction(partial(self._count_other, held=held))
        return None

    async def _count_run(self, run: RunResult, held: Pending) -> Turn | None:
        entry = self._entry(run, held.ended_at, held.written_at)
        walked, folded = entry.walked(), await self._fold(entry)

        def write(connection: sqlite3.Connection) -> Written | None:
            pending_words.drop(connection, held.run_id)
            if not self._take(connection, held):
                return None
            slots.start(connection, held.run_id)
            slots.finish(connection, held.run_id, run.result, walked)
            return self._write(connection, entry, folded)

        return self._observe(run, await self._database.transaction(write))

    def _count_other(self, connection: sqlite3.Connection, held: Pending) -> None:
        pending_words.drop(connection, held.run_id)
        if not self._take(connection, held):
            return
        slot, site = held.slot, self._site(held.slot.journey)
        if held.reason is None:
            slots.start(connection, held.run_id)
            slots.finish(connection, held.run_id, Result.NOT_MEASURED)
            self._telemetry.record_lost(connection, slot, site)
        else:
            slots.skip(connection, held.run_id, held.reason)
            self._telemetry.record_skip(connection, slot, site, held.reason, held.count)

    def _take(self, connection: sqlite3.Connection, held: Pending) -> bool:
        slot = held.slot
        if slots.take(connection, slot, held.ahead, held.since, held.count) is None:
            return False
        site = self._site(slot.journey)
        self._telemetry.record_expected(connection, slot, site, held.count)
        return True

    async def _drop(self, run_id: str) -> None:
        await self._database.transaction(partial(pending_words.drop, run_id=run_id))

    def _forget_claims(self, connection: sqlite3.Connection) -> None:
        for one in pending_words.claimed(connection, self._location):
            pending_words.drop(connection, one.run_id)


def _giver(word: bytes) -> str:
    """Return which replica gave a word, by what the store has; "" where that can't be read."""
    try:
        told = json.loads(word)
        return str(told["instance"])
    except (ValueError, LookupError, TypeError):
        return ""
