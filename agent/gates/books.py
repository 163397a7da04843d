"""What is written down of gates, each call in one commit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from agent.runs.document import document
from agent.runs.walk_record import walk_record
from agent.storage import gates, walks

if TYPE_CHECKING:
    import asyncio
    import sqlite3
    from collections.abc import Mapping

    from agent.core.gate import GateEnd, GateOrder
    from agent.core.results import RunResult
    from agent.gates.under_way import UnderWay
    from agent.server.documents.gates import GateHook
    from agent.storage.database import Database
    from agent.telemetry.telemetry import Telemetry


class Sharing(Protocol):
    """What the other replicas of the location know of gates, and hear of these."""

    @property
    def heard(self) -> asyncio.Event:
        """Set once something of another replica's was heard; then there is another event."""
        ...

    async def first(self, key: str, gate_id: str, digest: str) -> tuple[str, str]:
        """Return the gate that a key stands for at the location, and its digest: this one's."""
        ...

    async def tell(self, document: Mapping[str, Any]) -> None:
        """Have the others know how a gate stands."""
        ...

    async def find(self, gate_id: str) -> dict[str, Any] | None:
        """Return another replica's gate; None: the location knows none such."""
        ...


class Books:
    """Writes gates and their walks down, with the telemetry that tells of them.

    ``sharing`` is None where the agent is alone.
    """

    def __init__(
        self, database: Database, telemetry: Telemetry, sharing: Sharing | None = None
    ) -> None:
        self._database = database
        self._telemetry = telemetry
        self.sharing = sharing

    @property
    def trouble(self) -> str:
        """Why nothing can be written down; empty where it can."""
        return self._database.trouble

    async def known(self, key: str) -> tuple[str, str] | None:
        """Return the gate that was asked for under a key, and the digest of its order."""
        return await self._database.transaction(lambda connection: gates.by_key(connection, key))

    async def ask(self, gate: UnderWay, key: str, digest: str) -> tuple[str, str]:
        """Note a gate; return its id and digest, or those of one that came first by that key."""
        told = gate.document()
        asked = gates.Asked(key, digest, gate.time.started_at, told)

        def write(connection: sqlite3.Connection) -> tuple[str, str]:
            if key and (first := gates.by_key(connection, key)):
                return first
            gates.ask(connection, asked)
            return gate.gate_id, digest

        if key and self.sharing is not None:
            first = await self.sharing.first(key, gate.gate_id, digest)
            if first[0] != gate.gate_id:
                return first
        first = await self._database.transaction(write)
        if first[0] == gate.gate_id:
            await self._tell(told)
        return first

    async def keep(self, gate_id: str, run: RunResult) -> None:
        """Keep a walk of a gate, with its spans and its log record."""
        public, packed = document(run), walks.pack(walk_record(run))

        def write(connection: sqlite3.Connection) -> None:
            gates.add_run(connection, gate_id, public, packed)
            self._telemetry.record_run(connection, run)

        await self._database.transaction(write)
        self._telemetry.observe_run(run)

    async def note(self, gate: UnderWay) -> None:
        """Keep what has become of a gate since it had its verdict."""
        told = gate.document()
        await self._database.transaction(lambda connection: gates.note(connection, told))
        await self._tell(told)

    async def conclude(self, told: dict[str, Any], end: GateEnd) -> None:
        """Keep a verdict, counted and with the span that its walks are children of."""

        def write(connection: sqlite3.Connection) -> None:
            gates.note(connection, told)
            self._telemetry.record_gate(connection, end)

        await self._database.transaction(write)
        self._telemetry.observe_gate()
        await self._tell(told)

    async def keep_hook(self, gate_id: str, hook: GateHook) -> None:
        """Keep what became of a gate's roll-back hook."""

        def write(connection: sqlite3.Connection) -> dict[str, Any] | None:
            told = gates.find(connection, gate_id)
            if told is None:
                return None
            told = {**told, "hook": hook}
            gates.note(connection, told)
            return told

        if told := await self._database.transaction(write):
            await self._tell(told)

    async def calling(self) -> list[dict[str, Any]]:
        """Return the gates whose hook a killed predecessor was calling, oldest first."""
        return await self._database.transaction(gates.calling)

    async def pending(self) -> list[dict[str, Any]]:
        """Return the gates that a killed predecessor left, oldest first."""
        return await self._database.transaction(gates.pending)

    async def _tell(self, told: Mapping[str, Any]) -> None:
        if self.sharing is not None:
            await self.sharing.tell(told)


def digest_of(order: GateOrder) -> str:
    """Return what tells one order from another: the same for the same."""
    told = {**asdict(order), "headers": dict(order.headers)}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
