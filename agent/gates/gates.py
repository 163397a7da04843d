"""Release gates: asked for, under way and kept."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from agent.core.errors import StateError
from agent.core.first_of import first_of
from agent.core.gate import GateEnd, GateOrder, GateVerdict
from agent.gates.admission import admit
from agent.gates.books import digest_of
from agent.gates.trial import Trial
from agent.gates.under_way import UnderWay, trace_of
from agent.runs.document import time
from agent.server.control import Refused
from agent.storage import gates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.config import Settings
    from agent.gates.course import Road
    from agent.gates.telling.tellings import Tellings
    from agent.gates.words import Told
    from agent.schedule.timeline import Timeline
    from agent.server.documents.gates import GateDocument, GateHook
    from agent.storage.reader import Reader

_log = structlog.get_logger("footfall.gates")

_MOST: Final = 20
"""Gates that may be under way at once."""
_MOST_WAIT: Final = 12
"""Requests that may wait for a verdict at once; others are told how it stands, and so leave room
for whoever asks for gates."""
_LOOKS_EVERY: Final = 1.0
"""Seconds between two looks at a gate that another replica walks."""
_ENDING: Final = "the agent is ending: no release is judged any more"
_STOPPED: Final = "the agent was stopped before there was a verdict"
_DIED: Final = "the agent died, or was restarted, before there was a verdict"


class Gates:
    """Begins gates, follows them, and tells of those that are over."""

    def __init__(
        self,
        road: Road,
        settings: Callable[[], Settings],
        reader: Reader,
        timeline: Timeline,
        tellings: Tellings,
    ) -> None:
        self._road = road
        self._tellings = tellings
        self._settings = settings
        self._reader = reader
        self._timeline = timeline
        self._clock = road.clock
        self._under_way: dict[str, UnderWay] = {}
        self._trials: dict[str, Trial] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = asyncio.Event()
        self._waiting = 0

    # What is asked.

    async def ask(self, order: GateOrder, key: str = "") -> GateDocument:
        """Begin a gate; see ``agent.server.gates.Gates``.

        Raises:
            Refused: it can't be had, or not now.

        """
        if self._ending.is_set():
            raise Refused(503, _ENDING)
        books, digest = self._road.books, digest_of(order)
        if books.trouble:
            raise Refused(503, f"no gate can be written down now: {books.trouble}")
        if key and (first := await books.known(key)):
            return await self._again(*first, digest)
        admitted = admit(order, self._settings(), self._road.dispatcher.journeys)
        if len(self._under_way) >= _MOST:
            raise Refused(503, f"{_MOST} gates are under way already: ask again in a moment")
        gate = UnderWay(admitted, self._clock)
        self._under_way[gate.gate_id] = gate
        try:
            first = await books.ask(gate, key, digest)
        except BaseException:
            del self._under_way[gate.gate_id]
            raise
        if first[0] != gate.gate_id:
            del self._under_way[gate.gate_id]
            return await self._again(*first, digest)
        task = asyncio.create_task(self._see_to(gate), name=f"gate {gate.gate_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return gate.document()

    async def wait(self, gate_id: str, seconds: float = 0.0) -> GateDocument | None:
        """Return a gate once it has its verdict; see ``agent.server.gates.Gates``."""
        if not seconds or self._waiting >= _MOST_WAIT:
            return await self._look(gate_id, 0.0)
        self._waiting += 1
        try:
            return await self._look(gate_id, seconds)
        finally:
            self._waiting -= 1

    async def _look(self, gate_id: str, seconds: float) -> GateDocument | None:
        gate = self._under_way.get(gate_id)
        if gate is None:
            return cast("GateDocument | None", await self._kept(gate_id, seconds))
        if seconds and not gate.decided.is_set():
            patience = self._clock.sleep(seconds)
            await first_of(gate.decided.wait(), self._ending.wait(), patience)
        return gate.document()

    async def _kept(self, gate_id: str, seconds: float) -> dict[str, Any] | None:
        """Return a gate that is over; or one that another replica walks, as ``wait`` does."""
        kept = await self._reader.read(lambda connection: gates.find(connection, gate_id))
        sharing, until = self._road.books.sharing, self._clock.monotonic() + seconds
        if sharing is None or _is_over(kept):
            return kept
        while True:
            heard = sharing.heard
            kept = await sharing.find(gate_id) or kept
            left = until - self._clock.monotonic()
            if kept is None or _is_over(kept) or left <= 0 or self._ending.is_set():
                return kept
            # What is told may be lost.
            patience = self._clock.sleep(min(left, _LOOKS_EVERY))
            await first_of(heard.wait(), self._ending.wait(), patience)

    async def _again(self, gate_id: str, digest_before: str, digest: str) -> GateDocument:
        if digest_before != digest:
            raise Refused(
                422, f"this Idempotency-Key stands for gate {gate_id}, which was asked otherwise"
            )
        found = await self.wait(gate_id)
        if found is None:
            raise Refused(503, f"gate {gate_id} can't be read now")
        return found

    # Start and end.

    async def end_unfinished(self) -> None:
        """End the gates that a killed predecessor left: nobody else will."""
        now = self._clock.wall()
        for told in await self._road.books.pending():
            ended = {
                **told,
                "verdict": GateVerdict.ERROR.value,
                "reasons": [_DIED],
                "ended_at": time(now),
            }
            end = _end_of(told, self._road.engine.location, now)
            await self._road.books.conclude(ended, end)
            _log.warning("gate.lost", action="start", gate=told["id"])
        for told in await self._road.books.calling():
            self._tellings.call(cast("GateDocument", told), self._keep_hook)

    async def end(self) -> None:
        """Give what is under way its verdict, since nobody would wait for it any longer."""
        self._ending.set()
        for trial in list(self._trials.values()):
            trial.break_off(_STOPPED)
        undecided = [one for one in self._under_way.values() if not one.decided.is_set()]
        for gate in undecided:
            await gate.decided.wait()
        for trial in list(self._trials.values()):
            await trial.cancel()

    async def cancel(self) -> None:
        """Break off whatever there is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # One gate.

    async def _see_to(self, gate: UnderWay) -> None:
        trial = Trial(gate, self._road, self._settings(), self._reader, self._timeline)
        self._trials[gate.gate_id] = trial
        if self._ending.is_set():
            trial.break_off(_STOPPED)
        try:
            await self._conclude(gate, await trial.verdict())
            runs = len(gate.runs)
            await trial.ended()
            if len(gate.runs) > runs:
                await self._road.books.note(gate)
        except StateError:
            _log.warning("gate.unwritten", action="gate", gate=gate.gate_id)
        finally:
            del self._trials[gate.gate_id]
            await trial.cancel()
            del self._under_way[gate.gate_id]

    async def _conclude(self, gate: UnderWay, told: Told) -> None:
        gate.decide(told.verdict, told.reasons, told.would_do)
        gate.hook = self._tellings.hook(told.verdict)
        end = gate.end(self._road.engine.location)
        try:
            await self._road.books.conclude(cast("dict[str, Any]", gate.document()), end)
        finally:
            gate.decided.set()
            self._tellings.tell(gate.document(), self._keep_hook)
            log = _log.info if told.verdict is GateVerdict.PASS else _log.warning
            log(
                "gate.ended",
                action="gate",
                gate=gate.gate_id,
                site=gate.order.site,
                release=gate.order.release or None,
                verdict=told.verdict.value,
                reasons=told.reasons,
                seconds=round(end.seconds, 3),
            )

    async def _keep_hook(self, gate_id: str, hook: GateHook) -> None:
        if gate := self._under_way.get(gate_id):
            gate.hook = hook
        await self._road.books.keep_hook(gate_id, hook)


def _is_over(kept: Mapping[str, Any] | None) -> bool:
    return kept is not None and kept["verdict"] != gates.PENDING


def _end_of(told: Mapping[str, Any], location: str, now: float) -> GateEnd:
    """Return how a gate ended of which only the document is left."""
    order = GateOrder(told["site"], tuple(told["journeys"]), told["release"] or "")
    asked_at = datetime.fromisoformat(told["asked_at"]).timestamp()
    return GateEnd(
        told["id"],
        order,
        location,
        GateVerdict.ERROR,
        (_DIED,),
        min(asked_at, now),
        now,
        *trace_of(told["id"]),
    )
