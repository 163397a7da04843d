"""Which replicas of the location there are: each announces itself, and looks for the others."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from agent.queue import key_names
from agent.queue.shared import Away

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from agent.core.clock import Clock
    from agent.queue.shared import Entry, Store

_log = structlog.get_logger("footfall.replicas")

EVERY: Final = 3.0
"""Seconds between two announcements."""
TTL: Final = 10.0
"""Seconds for which one is heard without another."""
_LOOK: Final = 0.8
_JITTER: Final = 0.4
"""Seconds, at most, by which a look is later."""
_REMEMBERED: Final = 30 * 86_400.0
"""Seconds for which a replica that is gone is known: pages lead to what it kept."""
_CLOCKS_APART: Final = 2.0
"""Seconds by which a clock may differ from the server's before that is told."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a replica says of itself. Times are Unix seconds by its own clock."""

    instance: str
    version: str
    host: str
    address: str
    """Where it listens."""
    url: str
    """Under which people reach it, or all replicas; "" where none is configured."""
    workers: int
    """That walk in browsers, as ``free``, those of them that wait for a walk."""
    free: int
    bundle: str
    """The digest of its journeys."""
    since: float
    draining: bool = False
    running: list[str] = field(default_factory=list)
    """The journeys that it walks."""
    at: float = 0.0
    """When it said so."""


@dataclass(frozen=True, slots=True)
class Known:
    """A replica that is heard, or was."""

    said: Announcement
    heard_at: float
    """When it was heard last, in Unix seconds of the server's clock."""
    is_heard: bool
    left: bool = False
    """Whether it drained, so that nobody misses it."""

    @property
    def clock_ahead(self) -> float:
        """Seconds by which its clock is before the server's."""
        return self.said.at - self.heard_at


_ANNOUNCEMENT = TypeAdapter(Announcement)


class Presence:
    """Announces this replica, as ``describe`` says, and knows the others."""

    def __init__(self, store: Store, describe: Callable[[], Announcement], clock: Clock) -> None:
        self._store = store
        self._describe = describe
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._looked_at: float | None = None
        """When the server answered last, on the monotonic clock."""
        self._apart: set[str] = set()
        self._draining = False
        self.owner = ""
        """The digest of the journeys that are walked at the location; "" where it isn't known."""

    @property
    def instance(self) -> str:
        """The id of this replica."""
        return self._describe().instance

    def mine(self) -> Announcement:
        """Return what this replica says of itself now."""
        said = self._describe()
        return replace(said, draining=said.draining or self._draining, at=self._clock.wall())

    def heard(self) -> Sequence[Announcement]:
        """Return the replicas that are heard, this one first.

        While the server is away it hears nobody but itself.
        """
        mine = self.mine()
        if not self.is_fresh():
            return [mine]
        others = (one.said for one in self._known.values() if one.is_heard)
        return [mine, *(said for said in others if said.instance != mine.instance)]

    def walking(self) -> AbstractSet[str]:
        """Return the journeys that other replicas walk now."""
        return {name for one in self.heard()[1:] for name in one.running}

    def known(self) -> Sequence[Known]:
        """Return every replica that is heard or was, the oldest first, this one among them."""
        mine = self.mine()
        known = {**self._known}
        before = known.get(mine.instance)
        ahead = before.clock_ahead if before is not None else 0.0
        known[mine.instance] = Known(mine, mine.at - ahead, is_heard=True)
        fresh = self.is_fresh()
        return sorted(
            (
                one if fresh or one.said.instance == mine.instance else replace(one, is_heard=False)
                for one in known.values()
            ),
            key=lambda one: (one.said.since, one.said.instance),
        )

    def find(self, instance: str) -> Known | None:
        """Return a replica that is heard or was; None: nothing is known of it."""
        return next((one for one in self.known() if one.said.instance == instance), None)

    async def announce(self) -> None:
        """Say that this replica is there.

        Raises:
            Away: the server can't be reached.

        """
        said = self.mine()
        await self._store.put(key_names.presence(said.instance), _dumps(said), TTL)

    async def run(self) -> None:
        """Announce and look until cancelled."""
        announced = -EVERY
        times = 0
        while True:
            try:
                # A server that is back has forgotten nobody, but may have.
                now_times = await self._store.until_connected()
                if now_times != times:
                    await self._remember()
                    times = now_times
                if self._clock.monotonic() - announced >= EVERY:
                    announced = self._clock.monotonic()
                    await self.announce()
                await self.look()
            except Away:
                announced = -EVERY
            await self._clock.sleep(_LOOK + _JITTER * random.random())  # noqa: S311 - no secret

    async def look(self) -> None:
        """Look who is there.

        Raises:
            Away: the server can't be reached.

        """
        entries = await self._store.list(key_names.PRESENCE)
        owner = await self._store.get(key_names.OWNER)
        self.owner = "" if owner is None else owner.value.decode("ascii", "replace")
        first = self._looked_at is None
        if first:
            await self._recall()
        self._looked_at = self._clock.monotonic()
        heard: dict[str, Known] = {}
        for entry in entries.values():
            said = _read(entry.value)
            if said is not None:
                heard[said.instance] = Known(said, entry.created, is_heard=True)
        lost = {
            instance: one if not one.is_heard else await self._after_it_was_heard(one)
            for instance, one in self._known.items()
            if instance not in heard
        }
        self._tell(heard, lost, first=first)
        self._known = {**lost, **heard}

    async def drain(self) -> None:
        """Say that this replica takes nothing more."""
        self._draining = True
        try:
            await self.announce()
        except Away as error:
            _log.info("replica.unannounced", action="drain", error=str(error))

    async def leave(self) -> None:
        """Say that it is gone, and that nobody is to miss it."""
        try:
            await self._remember(left=True)
            await self._store.delete(key_names.presence(self.instance))
        except Away as error:
            _log.info("replica.unannounced", action="stop", error=str(error))

    def is_fresh(self) -> bool:
        """Whether the server answered lately, so that what is known of others still holds."""
        looked = self._looked_at
        return looked is not None and self._clock.monotonic() - looked < TTL

    async def _remember(self, *, left: bool = False) -> None:
        """Note for those to come that this replica was there."""
        said = self.mine()
        value = json.dumps({"said": asdict(said), "left": left}).encode()
        await self._store.put(key_names.replica(said.instance), value, _REMEMBERED)

    async def _after_it_was_heard(self, one: Known) -> Known:
        """Return what is known of a replica that is no longer heard: whether it took its leave."""
        entry = await self._store.get(key_names.replica(one.said.instance))
        told = None if entry is None else _remembered(entry)
        left = one.said.draining or (told is not None and told.left)
        return replace(one, is_heard=False, left=left)

    async def _recall(self) -> None:
        """Take up which replicas there were."""
        for entry in (await self._store.list(key_names.REPLICAS)).values():
            if (known := _remembered(entry)) is not None:
                self._known[known.said.instance] = known

    def _tell(self, heard: Mapping[str, Known], lost: Mapping[str, Known], *, first: bool) -> None:
        for instance, one in heard.items():
            before, is_mine = self._known.get(instance), instance == self.instance
            facts = _facts(one)
            if (before is None or not before.is_heard) and not is_mine:
                _log.info("replica.heard", action="look", **facts)
            elif before and one.said.draining and not before.said.draining and not is_mine:
                _log.info("replica.draining", action="look", **facts)
            self._tell_clock(instance, one)
        for instance, one in lost.items():
            before = self._known[instance]
            if not before.is_heard or first or instance == self.instance:
                continue
            if one.left:
                _log.info("replica.left", action="look", **_facts(one))
            else:
                _log.warning("replica.lost", action="look", **_facts(one))

    def _tell_clock(self, instance: str, one: Known) -> None:
        apart = abs(one.clock_ahead) > _CLOCKS_APART
        if apart and instance not in self._apart:
            ahead = round(one.clock_ahead, 1)
            _log.warning("replica.clock", action="look", **_facts(one), ahead=ahead)
        (self._apart.add if apart else self._apart.discard)(instance)


def _facts(one: Known) -> dict[str, object]:
    said = one.said
    return {
        "replica": said.instance,
        "host": said.host,
        "address": said.address,
        "bundle": said.bundle,
        "workers": said.workers,
    }


def _remembered(entry: Entry) -> Known | None:
    try:
        told = json.loads(entry.value)
        said, left = _ANNOUNCEMENT.validate_python(told["said"]), bool(told["left"])
    except (ValueError, KeyError, TypeError):
        return None  # of another version
    return Known(said, entry.created, is_heard=False, left=left)


def _read(value: bytes) -> Announcement | None:
    try:
        return _ANNOUNCEMENT.validate_json(value)
    except ValidationError:
        return None  # of another version, that says what this one doesn't know


def _dumps(said: Announcement) -> bytes:
    return json.dumps(asdict(said)).encode()
