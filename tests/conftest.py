"""Fixtures of the whole suite: real receivers, real shops, and a guard around unit tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import fuzz  # noqa: F401 - it brings the profiles of the properties
from tests.support.demo import DemoShop
from tests.support.nats_server import NatsServer
from tests.support.network import LoopbackOnly
from tests.support.oscar import OscarShop
from tests.support.otlp import OtlpReceiver
from tests.support.rotel import Rotel
from tests.support.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_UNIT = Path(__file__).parent / "unit"
_NOT_OURS = ("footfall_", "otel_", "http_proxy", "https_proxy", "all_proxy", "no_proxy")


def pytest_configure() -> None:
    """Leave out what the shell says of its owner's agents, collectors and proxies."""
    for name in [name for name in os.environ if name.lower().startswith(_NOT_OURS)]:
        del os.environ[name]


@pytest.fixture(autouse=True)
def _loopback_only(request: pytest.FixtureRequest) -> Iterator[None]:
    """A unit test never leaves the machine."""
    if _UNIT not in request.node.path.parents:
        yield
        return
    with LoopbackOnly() as guard:
        yield
    if guard.attempts:
        pytest.fail(f"left loopback for {', '.join(guard.attempts)}")


@pytest.fixture
async def otlp() -> AsyncIterator[OtlpReceiver]:
    """An empty OTLP receiver in the test's own loop."""
    async with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
async def rotel(otlp: OtlpReceiver) -> AsyncIterator[Rotel]:
    """A real collector that forwards to ``otlp``."""
    async with Rotel(otlp.http_endpoint) as collector:
        yield collector


@pytest.fixture
async def victoria() -> AsyncIterator[VictoriaMetrics]:
    """An empty metrics store."""
    async with VictoriaMetrics() as store:
        yield store


@pytest.fixture
async def nats() -> AsyncIterator[NatsServer]:
    """A NATS server with JetStream and nothing in it, of this test alone."""
    async with NatsServer() as server:
        yield server


@pytest.fixture(scope="module")
def shop() -> Iterator[DemoShop]:
    """The demo shop, one for each test file."""
    with DemoShop() as running:
        yield running


@pytest.fixture(scope="module")
def oscar() -> Iterator[OscarShop]:
    """A django-oscar shop, one for each test file."""
    with OscarShop() as running:
        yield running
