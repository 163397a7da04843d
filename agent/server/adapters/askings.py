"""Gates that tools ask for again and again: one gate for the same question, while it is news."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.core.gate import GateOrder
    from agent.server.documents.gates import GateDocument
    from agent.server.gates import Gates

HOLDS: Final = 9.0
"""Seconds for which a request is held: tools give up after 10."""
_NEWS: Final = {"pass": 600.0, "fail": 600.0, "error": 30.0}
"""Seconds for which a verdict is answered again; then the release is walked anew."""
_MOST: Final = 1000
"""Questions of which the last gate is remembered; of others it is looked up."""
_OLDEST: Final = 100
"""Gates of one question that are looked through for one that is news."""


class Askings:
    """Asks for gates in the tools' stead, and holds their requests until there is a verdict."""

    def __init__(self, gates: Gates, clock: Clock) -> None:
        self._gates = gates
        self._clock = clock
        self._last: OrderedDict[str, str] = OrderedDict()
        """By question, the key of its last gate."""

    def now(self) -> float:
        """Return when a request came, for ``held``."""
        return self._clock.monotonic()

    async def once(self, question: str, order: GateOrder) -> GateDocument:
        """Ask for a gate, or return the one that was asked for, however long ago.

        Raises:
            Refused: as ``Gates.ask``.

        """
        return await self._gates.ask(order, _key(question, order))

    async def held(self, question: str, order: GateOrder, since: float) -> GateDocument:
        """Ask, or ask again; return the gate with its verdict, or pending when the time is up.

        Raises:
            Refused: as ``Gates.ask``.

        """
        asked = await self._news(question, order)
        left = since + HOLDS - self._clock.monotonic()
        if asked["verdict"] != "pending" or left <= 0:
            return asked
        return await self._gates.wait(asked["id"], left) or asked

    async def _news(self, question: str, order: GateOrder) -> GateDocument:
        first = _key(question, order)
        key = self._last.get(first, first)
        asked = await self._gates.ask(order, key)
        for _ in range(_OLDEST):
            if not self._is_old(asked):
                break
            key = f"{first}/{asked['id']}"
            asked = await self._gates.ask(order, key)
        self._last[first] = key
        self._last.move_to_end(first)
        if len(self._last) > _MOST:
            self._last.popitem(last=False)
        return asked

    def _is_old(self, gate: GateDocument) -> bool:
        if gate["ended_at"] is None or gate["verdict"] == "pending":
            return False
        age = self._clock.wall() - datetime.fromisoformat(gate["ended_at"]).timestamp()
        return age > _NEWS[gate["verdict"]]


def _key(question: str, order: GateOrder) -> str:
    """Return what a gate is known by: who asks and what, and not in which words."""
    said = asdict(order) | {"headers": sorted(order.headers.items()), "question": question}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{order.source}:{digest}"
