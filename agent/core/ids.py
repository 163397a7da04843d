"""Identifiers: of runs, derived from their slots or fresh, and of traces and spans."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.core.model import Slot

_RUNS = uuid.UUID("5b0f6d0e-3f0b-5c52-9d3a-8f1f6a1f7c21")
"""Namespace of the ids that derive from slots. Changing it re-identifies every slot."""


def run_id(slot: Slot) -> str:
    """Return the id of the slot's run: the same on every machine and after every restart."""
    milliseconds = round(slot.scheduled_at * 1000)
    # Names and locations hold no line break, so the joined text names one slot only.
    return str(uuid.uuid5(_RUNS, f"{slot.journey}\n{slot.location}\n{milliseconds}"))


def fresh_run_id(now: float) -> str:
    """Return an id for a run without a slot: a UUIDv7 (RFC 9562) of ``now``, Unix seconds."""
    value = (int(now * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return str(uuid.UUID(int=value))


def trace_id() -> str:
    """Return a random trace id: 32 lower-case hex digits, never all zero."""
    return _random_hex(16)


def span_id() -> str:
    """Return a random span id: 16 lower-case hex digits, never all zero."""
    return _random_hex(8)


def _random_hex(size: int) -> str:
    while not any(value := secrets.token_bytes(size)):
        pass  # all zero means "no id" to OpenTelemetry
    return value.hex()
