"""Documents that all replicas share: changed by compare and set, told at once, kept up with.

A change is told to who listens, so that the others know it within milliseconds. What was told to
nobody, while the server was away, say, is caught up with: all is read again once it is back, and
every so often besides.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import structlog

from agent.core.first_of import first_of
from agent.queue.shared import Away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from agent.core.clock import Clock
    from agent.queue.shared import Entry, Store

Document = dict[str, Any]
"""A JSON object."""
Hear: TypeAlias = "Callable[[Mapping[str, Document]], Awaitable[None]]"
"""Takes documents that are new, by their keys."""

_log = structlog.get_logger("footfall.replicas")

_SUBJECT: Final = "documents"
_AGAIN: Final = 60.0
"""Seconds after which all is read again."""
_SPREAD: Final = 0.2
"""The share of that by which replicas don't do so at the same time."""
_REST: Final = 1.0
_TRIES: Final = 100
"""Times that a change is tried while others change the same document: each means that one did."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A document after a change, and its revision."""

    document: Document
    revision: int


class Board:
    """The documents of some rooms; a room is all keys that begin alike. Of one event loop."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rooms: dict[str, Hear] = {}
        self._large: set[str] = set()
        self._known: dict[str, int] = {}
        """The newest revision that was seen of each document."""
        self._new: dict[str, Document] = {}
        self._any_new = asyncio.Event()

    def room(self, prefix: str, hear: Hear, *, large: bool = False) -> None:
        """Have documents whose keys begin so, with a dot at the end, heard.

        Those of a ``large`` room are read again only once the server is back.
        """
        self._rooms[prefix] = hear
        if large:
            self._large.add(prefix)

    async def change(self, key: str, change: Callable[[Document | None], Document]) -> Changed:
        """Change a document, whatever others do to it meanwhile.

        ``change`` gets it as it is (None: there is none) and returns it as it is to be, always
        the same for the same; where it returns the very one that it got, nothing is written.

        Raises:
            Away: the server can't be reached, and it may be changed or not.

        """
        for _ in range(_TRIES):
            entry = await self._store.get(key)
            before = None if entry is None else json.loads(entry.value)
            after = change(before)
            if entry is not None and after is before:
                return Changed(after, entry.revision)
            revision = await self.replace(key, after, entry)
            if revision is not None:
                return Changed(after, revision)
            await self._clock.sleep(random.random() * 0.02)  # noqa: S311 - so that they part
        raise Away(f"{key} was changed by others {_TRIES} times while it was to be changed here")

    async def replace(self, key: str, document: Document, before: Entry | None) -> int | None:
        """Write a document if it still is as it was before (None: if there is none yet).

        Return its new one; None: it has moved on.

        Raises:
            Away: the server can't be reached, and it may be written or not.

        """
        value = _dumps(document)
        if before is None:
            after = await self._store.create(key, value)
        else:
            after = await self._store.update(key, value, before.revision)
        if after is not None:
            await self._tell(key, after, document)
        return after

    async def put(self, key: str, document: Document, ttl: float | None = None) -> None:
        """Write a document that nobody else does.

        Raises:
            Away: the server can't be reached.

        """
        revision = await self._store.put(key, _dumps(document), ttl)
        await self._tell(key, revision, document)

    async def list(self, prefix: str) -> dict[str, Document]:
        """Return all documents whose keys begin so, with a dot at the end.

        Raises:
            Away: the server can't be reached.

        """
        entries = await self._store.list(prefix)
        return {key: json.loads(entry.value) for key, entry in entries.items()}

    def is_newest(self, key: str, revision: int) -> bool:
        """Whether nothing newer was heard of a document than this revision."""
        return self._known.get(key, 0) <= revision

    async def follow(self) -> None:
        """Hear what others change, until cancelled."""
        end = self._store.subscribe(_SUBJECT, self._on_told)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deliver())
                group.create_task(self._catch_up())
        finally:
            end()

    async def read_all(self) -> None:
        """Read every document and have it heard.

        Raises:
            Away: the server can't be reached.

        """
        # A server whose store was lost counts from the beginning again.
        self._known.clear()
        await self._read(self._rooms)

    async def _read(self, prefixes: Collection[str]) -> None:
        for prefix in prefixes:
            for key, entry in (await self._store.list(prefix)).items():
                self._take(key, entry.revision, json.loads(entry.value))
        await self._hand_over()

    async def _catch_up(self) -> None:
        read_at = 0
        while True:
            times = await self._store.until_connected()
            try:
                if times != read_at:
                    await self.read_all()
                else:
                    await self._read(self._rooms.keys() - self._large)
                read_at = times
            except Away:
                await self._clock.sleep(_REST)
                continue
            spread = 1 + _SPREAD * random.random()  # noqa: S311 - so that they part
            await first_of(
                self._clock.sleep(_AGAIN * spread), self._store.until_connected(after=times)
            )

    async def _deliver(self) -> None:
        while True:
            await self._any_new.wait()
            await self._hand_over()

    async def _hand_over(self) -> None:
        new, self._new = self._new, {}
        self._any_new.clear()
        for prefix, hear in self._rooms.items():
            some = {key: document for key, document in new.items() if key.startswith(prefix)}
            if not some:
                continue
            try:
                await hear(some)
            except Exception:  # noqa: BLE001 - what one document does to us must not cost the agent
                _log.exception("replicas.unheard", action="hear", keys=sorted(some)[:5])

    async def _tell(self, key: str, revision: int, document: Document) -> None:
        """Tell the others; who doesn't hear it now does so when all is read again."""
        self._known[key] = max(revision, self._known.get(key, 0))
        told = _dumps({"key": key, "revision": revision, "document": document})
        try:
            await self._store.publish(_SUBJECT, told)
        except Away as error:
            _log.info("replicas.untold", action="tell", key=key, error=str(error))

    def _on_told(self, data: bytes) -> None:
        try:
            told = json.loads(data)
            self._take(told["key"], told["revision"], told["document"])
        except (ValueError, TypeError, KeyError):
            _log.warning("replicas.unreadable", action="hear", size=len(data))

    def _take(self, key: str, revision: int, document: Document) -> None:
        if revision > self._known.get(key, 0):
            self._known[key] = revision
            self._new[key] = document
            self._any_new.set()


def _dumps(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
