"""Settling, from the start on and whenever the store is back, the words that wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from agent.core.first_of import first_of

if TYPE_CHECKING:
    from agent.core.clock import Clock
    from agent.queue.shared import Store
    from agent.runs.replicated.replica_ledger import ReplicaLedger

_AGAIN: Final = 2.0
"""Seconds between two looks: soon enough after the store is back for no other to word a walk."""


async def keep_settled(ledger: ReplicaLedger, store: Store, clock: Clock) -> NoReturn:
    """Settle what is held, until cancelled."""
    while True:
        await store.until_connected()
        ledger.held.clear()
        await ledger.settle_all()
        await first_of(ledger.held.wait(), clock.sleep(_AGAIN))
