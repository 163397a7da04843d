"""Stands in for the gates behind the routes: what was asked is kept, and answered as told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.gate import GateOrder
    from agent.server.control import Refused
    from agent.server.documents.gates import GateDocument


def gate_document(order: GateOrder, number: int = 1) -> GateDocument:
    """Return a gate that has just been asked for."""
    gate_id = f"0197-gate-{number}"
    return {
        "id": gate_id,
        "address": f"/api/v1/gates/{gate_id}",
        "site": order.site,
        "journeys": list(order.journeys),
        "release": order.release or None,
        "url": order.url or None,
        "headers": sorted(order.headers),
        "within": order.within,
        "baseline": order.baseline,
        "source": order.source,
        "asked_at": "2026-11-27T09:00:00.000Z",
        "ended_at": None,
        "seconds": None,
        "verdict": "pending",
        "reasons": [],
        "would_do": None,
        "runs": [],
        "hook": None,
        "trace_id": "1" * 32,
    }


@dataclass
class AskedGates:
    """``asked`` has each order with its key, ``waited`` each wait; ``refuses`` is raised."""

    asked: list[tuple[GateOrder, str]] = field(default_factory=list)
    waited: list[tuple[str, float]] = field(default_factory=list)
    kept: dict[str, GateDocument] = field(default_factory=dict)
    refuses: Refused | None = None

    async def ask(self, order: GateOrder, key: str = "") -> GateDocument:
        """Take note of an order."""
        if self.refuses is not None:
            raise self.refuses
        self.asked.append((order, key))
        told = gate_document(order, len(self.asked))
        self.kept[told["id"]] = told
        return told

    async def wait(self, gate_id: str, seconds: float = 0.0) -> GateDocument | None:
        """Answer at once."""
        self.waited.append((gate_id, seconds))
        return self.kept.get(gate_id)
