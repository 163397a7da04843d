"""Signing in at a location: a link works once at all of its replicas."""

from __future__ import annotations

import asyncio

import pytest

from agent.replicas.shared_sign_in import SharedLinks
from agent.server.control import Refused


@pytest.fixture
def pair(server):
    return SharedLinks(server.store()), SharedLinks(server.store())


async def test_a_link_works_once_wherever_it_is_used(pair):
    """Also where two use it at the same moment; what nobody made never does."""
    one, other = pair
    code = await one.make()
    assert not await other.spend(code[:-1])
    assert sorted(await asyncio.gather(one.spend(code), other.spend(code))) == [False, True]
    assert not await one.spend(code)


async def test_it_works_for_a_minute(pair, clock):
    """Whoever comes later has nothing."""
    one, other = pair
    code = await one.make()
    clock.advance(61)
    assert not await other.spend(code)


async def test_none_is_made_or_taken_while_the_server_is_away(pair, server):
    """It might have been spent elsewhere."""
    one, other = pair
    code = await one.make()
    server.stop()
    with pytest.raises(Refused, match="sign in with the token"):
        await other.spend(code)
    with pytest.raises(Refused):
        await one.make()
