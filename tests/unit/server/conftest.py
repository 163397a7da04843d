"""The agent's server, as ``footfall run`` serves it."""

from __future__ import annotations

import pytest

from tests.support.api import Served, journey


@pytest.fixture
async def served(tmp_path):
    async with Served(tmp_path, journeys=[journey("buy"), journey("search")]) as running:
        yield running
