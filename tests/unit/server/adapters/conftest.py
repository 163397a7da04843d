"""The agent's server with the adapters, and somebody who judges at once."""

from __future__ import annotations

import pytest

from agent.core.clock import SystemClock
from agent.server.adapters.adapter_routes import adapter_routes
from agent.server.app import MoreRoutes
from tests.support.api import Served
from tests.support.asked_gates import AskedGates
from tests.support.deploy_tools import SETTINGS, Judged


@pytest.fixture
def judged():
    return Judged()


@pytest.fixture
async def served(tmp_path, judged):
    routes = adapter_routes(lambda: SETTINGS, judged, judged, judged, SystemClock())
    async with Served(tmp_path, more=MoreRoutes(AskedGates(), adapters=routes)) as running:
        yield running
