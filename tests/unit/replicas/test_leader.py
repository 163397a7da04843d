"""The leader: one at a time, and none that only thinks so."""

from __future__ import annotations

import pytest

from agent.queue.shared import Away
from agent.replicas.leader import LEASE, Leader


@pytest.fixture
def pair(server, clock):
    return [Leader(server.store(), name, clock) for name in ("one", "other")]


async def test_one_leads_at_a_time_and_another_after_it(pair, clock):
    """Once the lease is over that nobody prolongs."""
    one, other = pair
    await one.step()
    await other.step()
    assert (one.is_leader, other.is_leader) == (True, False)
    clock.advance(LEASE - 1)
    await one.step()
    clock.advance(2)
    await other.step()
    assert (one.is_leader, other.is_leader) == (True, False)
    clock.advance(LEASE)
    await other.step()
    assert (one.is_leader, other.is_leader) == (False, True)
    await one.step()
    assert (one.is_leader, other.is_leader) == (False, True)


@pytest.mark.parametrize("suspended", [False, True])
async def test_who_was_stopped_knows_that_it_leads_no_more_before_another_may(
    pair, clock, suspended
):
    """Asked before anything else is done; a suspended machine's monotonic clock stands still."""
    one, _ = pair
    await one.step()
    (clock.step if suspended else clock.advance)(LEASE - 0.5)
    assert not one.is_leader


async def test_who_is_cut_off_leads_no_more_once_its_lease_is_over(pair, clock, server):
    """And not before: nobody else can have it."""
    one, other = pair
    await one.step()
    server.stores[0].cut()
    with pytest.raises(Away):
        await one.step()
    assert one.is_leader
    clock.advance(LEASE)
    assert not one.is_leader
    await other.step()
    assert other.is_leader


async def test_who_starts_again_goes_on_with_its_own_lease(server, clock):
    """Its predecessor is dead, and nobody else waits for it."""
    await Leader(server.store(), "one", clock).step()
    again = Leader(server.store(), "one", clock)
    await again.step()
    assert again.is_leader
