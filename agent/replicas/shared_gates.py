"""Gates of a location: one replica walks a gate, and any of them tells of it.

A deploy tool asks through whatever stands before the replicas, so its next question reaches
another one. What is asked for under a key is one gate at all of them.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog

from agent.queue import key_names
from agent.queue.shared import Away
from agent.storage import gates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.core.clock import Clock
    from agent.queue.shared import Store
    from agent.replicas.board import Board, Document
    from agent.storage.database import Database

_log = structlog.get_logger("footfall.replicas")

_KEPT: Final = 7 * 86_400.0
"""Seconds for which the store keeps a gate, and what its key stands for."""
_LEAST: Final = 30.0
"""Seconds for which a replica may not be heard before its gates are given up."""


class SharedGates:
    """Tells the others of the gates of this replica, and keeps theirs.

    ``is_heard`` says whether a replica was heard lately. Where the server is away each replica
    judges by itself: a release isn't kept waiting for what only spares walks.
    """

    def __init__(
        self,
        store: Store,
        board: Board,
        database: Database,
        instance: str,
        is_heard: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._store = store
        self._board = board
        self._database = database
        self._instance = instance
        self._is_heard = is_heard
        self._clock = clock
        self._missed_since: dict[str, float] = {}
        """Since when replicas are not heard that others wait for."""
        self.heard = asyncio.Event()
        """Set, and replaced, whenever something of another replica's was heard."""
        board.room(key_names.GATES, self._hear)

    async def first(self, key: str, gate_id: str, digest: str) -> tuple[str, str]:
        """Return the gate that a key stands for at the location, and the digest of its order.

        That is this one, unless another came first.
        """
        name = key_names.gate_key(key)
        mine = json.dumps({"gate": gate_id, "digest": digest}).encode()
        try:
            if await self._store.create(name, mine, _KEPT) is not None:
                return gate_id, digest
            entry = await self._store.get(name)
        except Away as error:
            _log.warning("gate.unshared", action="gate", gate=gate_id, error=str(error))
            return gate_id, digest
        if entry is None:
            return gate_id, digest
        known = json.loads(entry.value)
        return known["gate"], known["digest"]

    async def tell(self, document: Mapping[str, Any]) -> None:
        """Have the other replicas know how a gate of this one stands."""
        told = {"replica": self._instance, "gate": dict(document)}
        try:
            await self._board.put(key_names.gate(document["id"]), told, _KEPT)
        except Away as error:
            gate_id = document["id"]
            _log.warning("gate.unshared", action="gate", gate=gate_id, error=str(error))

    async def find(self, gate_id: str) -> dict[str, Any] | None:
        """Return another replica's gate as the location knows it; None: it knows none such.

        One whose replica is gone is pending no more.
        """
        entry = None
        with suppress(Away):
            entry = await self._store.get(key_names.gate(gate_id))
        if entry is None:
            return None
        told = json.loads(entry.value)
        if told["replica"] == self._instance:
            return None
        gate: dict[str, Any] = told["gate"]
        if gate["verdict"] == gates.PENDING and self._is_gone(told["replica"]):
            gone = "the replica that judged it is gone: ask again, under another Idempotency-Key"
            return {**gate, "verdict": "error", "reasons": [gone]}
        return gate

    def _is_gone(self, replica: str) -> bool:
        if self._is_heard(replica):
            self._missed_since.pop(replica, None)
            return False
        now = self._clock.monotonic()
        return now - self._missed_since.setdefault(replica, now) >= _LEAST

    async def _hear(self, documents: Mapping[str, Document]) -> None:
        others = [one["gate"] for one in documents.values() if one["replica"] != self._instance]
        if not others:
            return

        await self._database.transaction(lambda connection: gates.copy(connection, others))
        self.heard.set()
        self.heard = asyncio.Event()
