"""One gate, from the request to its verdict and the end of its last walk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent.core import ids
from agent.core.clock import SteadyTime
from agent.core.gate import GateEnd, GateVerdict
from agent.runs.document import time
from agent.server.gates import PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.core.clock import Clock
    from agent.core.gate import GateOrder
    from agent.server.documents.gates import GateDocument, GateHook, GateRun


class UnderWay:
    """Knows how far a gate is. ``order`` is as it was admitted."""

    def __init__(self, order: GateOrder, clock: Clock) -> None:
        self.time = SteadyTime(clock)
        """Since it was asked for."""
        self.gate_id = ids.fresh_run_id(self.time.started_at)
        self.order = order
        self.trace_id, self.span_id = trace_of(self.gate_id)
        self.verdict = GateVerdict.PENDING
        self.reasons: tuple[str, ...] = ()
        self.would_do: str | None = None
        self.ended_at: float | None = None
        self.runs: list[GateRun] = []
        self.hook: GateHook | None = None
        self.decided = asyncio.Event()
        """Set once the verdict is written down."""

    def decide(
        self, verdict: GateVerdict, reasons: Sequence[str], would_do: str | None = None
    ) -> None:
        """Give it its verdict."""
        self.verdict, self.reasons, self.would_do = verdict, tuple(reasons), would_do
        self.ended_at = self.time.now()

    def end(self, location: str) -> GateEnd:
        """Return how it ended."""
        return GateEnd(
            self.gate_id,
            self.order,
            location,
            self.verdict,
            self.reasons,
            self.time.started_at,
            self.time.now() if self.ended_at is None else self.ended_at,
            self.trace_id,
            self.span_id,
        )

    def document(self) -> GateDocument:
        """Return its public form."""
        order, asked_at, ended_at = self.order, self.time.started_at, self.ended_at
        return {
            "id": self.gate_id,
            "address": f"{PATH}/{self.gate_id}",
            "site": order.site,
            "journeys": list(order.journeys),
            "release": order.release or None,
            "url": order.url or None,
            "headers": sorted(order.headers),
            "within": order.within,
            "baseline": order.baseline,
            "source": order.source,
            "asked_at": time(asked_at),
            "ended_at": None if ended_at is None else time(ended_at),
            "seconds": None if ended_at is None else round(ended_at - asked_at, 3),
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "would_do": self.would_do,
            "runs": list(self.runs),
            "hook": self.hook,
            "trace_id": self.trace_id,
        }


def trace_of(gate_id: str) -> tuple[str, str]:
    """Return the trace of a gate and its root span: the same after a restart."""
    digits = gate_id.replace("-", "")
    return digits, digits[16:]
