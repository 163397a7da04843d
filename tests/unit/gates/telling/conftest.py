"""Somebody who is told, and a clock whose sleeps are over at once."""

from __future__ import annotations

import pytest

from agent.core.proxies import Proxies
from agent.gates.telling.poster import Poster
from tests.support.clock import ManualClock
from tests.support.receiver import Receiver


@pytest.fixture
async def receiver():
    async with Receiver() as running:
        yield running


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def poster(clock):
    return Poster(Proxies(), clock)
