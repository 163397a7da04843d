"""The slots of one lane, which all replicas of a location offer and claim."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

import structlog

from agent.core.model import Slot
from agent.queue import key_names
from agent.queue.nats import streams
from agent.queue.nats.session import Refused
from agent.queue.seam import Answer, Claim, QueuedSlot
from agent.queue.shared import Away

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nats.aio.msg import Msg

    from agent.core.clock import Clock
    from agent.queue.nats.key_values import KeyValues
    from agent.queue.nats.session import Session
    from agent.queue.nats.uplink import Uplink
    from agent.queue.ownership import Ownership

_log = structlog.get_logger("footfall.queue")

_ACK, _IN_PROGRESS, _GIVE_BACK, _NEVER_AGAIN = b"+ACK", b"+WPI", b"-NAK", b"+TERM"
_PULL = 5.0
"""Seconds for which the server is asked for a slot at a time."""
_RUNNING = 12.0
"""Seconds after which a journey is not taken to be walked any more, unless that is said again."""
_REMEMBERED = 3600.0
"""Seconds beyond a slot's life for which it is known who had claimed it."""
_LATEST_OFFER = streams.DUPLICATES - 30.0
"""Age in seconds of the oldest slot that is offered: of older ones the server may know no more
that they were there."""
_MOST_MESSAGES = 10077
"""JetStream's code of a stream that is full."""
_ENDED = 1000
"""How many slots are kept in mind whose end the server was not told of."""


@dataclass
class _Held:
    """A claimed slot: where to answer for it, and the revisions of its marks."""

    reply: str
    journey: str
    mark: int | None
    running: int | None


class WorkQueue:
    """One lane of a location.

    ``instance`` is this replica's id. ``lifetime`` says for how many seconds after its time a
    journey's slot is any use: twice its timeout and grace, its confirmation, and the bound on
    lateness.
    """

    lease = 9.0
    """A second less than the server waits."""

    def __init__(
        self,
        uplink: Uplink,
        store: KeyValues,
        ownership: Ownership,
        lane: str,
        instance: str,
        lifetime: Callable[[str], float],
        clock: Clock,
    ) -> None:
        self._uplink = uplink
        self._store = store
        self._ownership = ownership
        self.lane = lane
        self._lifetime = lifetime
        self._clock = clock
        self._location = store.location
        self._stream = key_names.stream(store.location)
        self._claimant = f"{instance} {token_hex(8)}".encode()
        """This process: what it claimed before it was started again is somebody else's."""
        self._held: dict[str, _Held] = {}
        self._unsure: dict[str, _Held] = {}
        """Slots of which the server went away before they were claimed: theirs to give back."""
        self._ended: dict[str, None] = {}
        self._claiming = asyncio.Lock()
        self._pulling: asyncio.Task[Msg | None] | None = None
        self._draining = False
        self._consumer: tuple[Session, str] | None = None
        self.depth = 0
        """How many slots waited when the server last said so."""
        self.orphans: tuple[str, ...] = ()
        """Bundles that nobody announces any more, whose slots still wait."""

    async def offer(self, queued: QueuedSlot) -> Answer:
        """Have a slot be where all replicas see it, if its bundle owns the slots."""
        if not self._uplink.connected or not self._ownership.settled:
            return Answer.AWAY
        slot = queued.slot
        age = self._clock.wall() - slot.scheduled_at
        left = self._lifetime(slot.journey) - age
        if not self._ownership.owns or age > _LATEST_OFFER or left <= 0:
            return Answer.ELSEWHERE
        subject = self._subject(self._ownership.bundle, slot.journey)
        body = {"run": queued.run_id, "journey": slot.journey, "at": slot.scheduled_at}
        headers = {
            "Nats-Msg-Id": queued.run_id,
            "Nats-TTL": f"{max(int(left), 1)}s",
            "Nats-Expected-Stream": self._stream,
        }
        try:
            session = self._uplink.session
            await self.stand(session)  # first, so that nothing waits where nobody looks
            answer = json.loads(
                (await session.ask(subject, json.dumps(body).encode(), headers)).data
            )
        except (Away, Refused) as error:
            _log.info("slot.unoffered", action="offer", reason=str(error))
            return Answer.AWAY
        if refusal := answer.get("error"):
            if refusal.get("err_code") != _MOST_MESSAGES:
                _log.warning("slot.refused", action="offer", reason=refusal.get("description"))
            return Answer.FULL
        return Answer.ELSEWHERE

    async def claim(self) -> Claim:
        """Wait for the oldest slot and take it; whoever is cancelled leaves it to the others."""
        async with self._claiming:
            while True:
                try:
                    claim = await self._next()
                except Away:
                    await self._clock.sleep(0.1)
                    await self._uplink.until_connected()
                    continue
                except Refused as refused:
                    # Its consumer is gone, or has no leader just now.
                    _log.info("consumer.refused", action="claim", reason=str(refused))
                    self._consumer = None
                    await self._clock.sleep(0.5)
                    continue
                if claim is not None:
                    return claim

    async def extend(self, run_id: str) -> None:
        """Hold on to a claimed slot, and to its journey."""
        held = self._held.get(run_id)
        if held is None:
            return
        with suppress(Away):
            await self._uplink.session.tell(held.reply, _IN_PROGRESS)
            if held.running is not None:
                key, value = key_names.running(held.journey), run_id.encode()
                kept = await self._store.update(key, value, held.running, _RUNNING)
                # None: it was not heard in time. Whoever runs meanwhile keeps it.
                held.running = kept or await self._store.create(key, value, _RUNNING)

    async def done(self, run_id: str) -> None:
        """Let go of a claimed slot that has its word."""
        held = self._held.pop(run_id, None)
        if held is None:
            return
        try:
            await self._uplink.session.ask(held.reply, _ACK)
            await self._unmark_running(held)
        except Away:
            self._ended[run_id] = None
            while len(self._ended) > _ENDED:
                del self._ended[next(iter(self._ended))]

    async def release(self, run_id: str) -> None:
        """Give back a claimed slot that was not run: another gets it at once."""
        held = self._held.pop(run_id, None)
        if held is not None:
            await self._give_back(run_id, held)

    async def drain(self) -> list[QueuedSlot]:
        """Claim no more; what waits is for the others."""
        self._draining = True
        if self._pulling is not None:
            self._pulling.cancel()
        return []

    async def stand(self, session: Session) -> None:
        """Have the lane's slots be somewhere to claim them from; they wait there meanwhile.

        Raises:
            Away: the server is.
            Refused: it has no room for one more consumer.

        """
        bundle = self._ownership.bundle
        if self._consumer != (session, bundle):
            name, subject = self._consumer_of(bundle), self._subject(bundle, ">")
            await streams.ensure_consumer(session, self._location, name, subject)
            self._consumer = session, bundle

    async def _next(self) -> Claim | None:
        """Ask the server once for a slot that waits; None: none did, or it was none for us."""
        if self._draining:
            await asyncio.Event().wait()
        session = self._uplink.session
        while self._unsure:
            await self._give_back(*self._unsure.popitem())
        bundle = self._ownership.bundle
        for orphan in self.orphans:
            if message := await self._pull(session, orphan, {"batch": 1, "no_wait": True}, 0.0):
                return await self._take(session, message)
        await self.stand(session)
        asked = {"batch": 1, "expires": int(_PULL * 1e9)}
        message = await self._pull(session, bundle, asked, _PULL)
        if message is None:
            self.depth = 0
            return None
        self.depth = message.metadata.num_pending
        return await self._take(session, message)

    async def _pull(
        self, session: Session, bundle: str, asked: Mapping[str, object], limit: float
    ) -> Msg | None:
        verb = f"CONSUMER.MSG.NEXT.{self._stream}.{self._consumer_of(bundle)}"
        self._pulling = asyncio.ensure_future(session.next_of(verb, asked, limit))
        try:
            return await self._pulling
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                self._pulling.cancel()
                await asyncio.gather(self._pulling, return_exceptions=True)
                raise
            return None  # by the drain
        finally:
            self._pulling = None

    async def _take(self, session: Session, message: Msg) -> Claim | None:
        """Mark a slot as claimed; None: it is not to be run."""
        queued = self._read(message)
        if queued is None:
            _log.warning("slot.unreadable", action="claim", subject=message.subject)
            await session.tell(message.reply, _NEVER_AGAIN)
            return None
        run_id, journey = queued.run_id, queued.slot.journey
        if (known := self._held.get(run_id)) is not None:
            # The server did not hear in time that it goes on.
            known.reply = message.reply
            await session.tell(known.reply, _IN_PROGRESS)
            return None
        held = _Held(message.reply, journey, None, None)
        try:
            again = await self._mark(run_id, held)
            overrun = not await self._mark_running(run_id, held)
            if run_id in self._ended or await self._store.get(key_names.word(run_id)):
                await session.ask(message.reply, _ACK)
                await self._unmark_running(held)
                self._ended.pop(run_id, None)
                return None
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(run_id, held))
            raise
        except Away:
            self._unsure[run_id] = held
            raise
        self._held[run_id] = held
        return Claim(queued, again=again, overrun=overrun)

    async def _mark(self, run_id: str, held: _Held) -> bool:
        """Mark a slot as this process' own; return whether another had it before."""
        key = key_names.claim(run_id)
        ttl = self._lifetime(held.journey) + _REMEMBERED
        held.mark = await self._store.create(key, self._claimant, ttl)
        if held.mark is not None:
            return False
        entry = await self._store.get(key)
        # It may be this process', where the answer to its first try was lost.
        if entry is not None and entry.value == self._claimant:
            held.mark = entry.revision
            return False
        return True

    async def _mark_running(self, run_id: str, held: _Held) -> bool:
        """Mark a journey as being walked by this run; return whether it was not by another."""
        key, value = key_names.running(held.journey), run_id.encode()
        held.running = await self._store.create(key, value, _RUNNING)
        if held.running is None:
            entry = await self._store.get(key)
            if entry is None:
                held.running = await self._store.create(key, value, _RUNNING)
            elif entry.value == value:
                held.running = await self._store.update(key, value, entry.revision, _RUNNING)
        return held.running is not None

    async def _unmark_running(self, held: _Held) -> None:
        if held.running is not None:
            await self._store.delete(key_names.running(held.journey), held.running)

    async def _give_back(self, run_id: str, held: _Held) -> None:
        with suppress(Away):
            await self._unmark_running(held)
            if held.mark is not None:
                await self._store.delete(key_names.claim(run_id), held.mark)
            await self._uplink.session.tell(held.reply, _GIVE_BACK)

    def _read(self, message: Msg) -> QueuedSlot | None:
        try:
            said = json.loads(message.data)
            slot = Slot(str(said["journey"]), self._location, float(said["at"]))
            return QueuedSlot(str(said["run"]), slot)
        except (ValueError, KeyError, TypeError):
            return None

    def _subject(self, bundle: str, journey: str) -> str:
        return key_names.slots_of(self._location, bundle, self.lane, journey)

    def _consumer_of(self, bundle: str) -> str:
        return f"{bundle}-{self.lane}"
