"""One trace from the journey to the database query, through services that others instrumented."""

from __future__ import annotations

import pytest

from tests.support.backend import InstrumentedShop, Inventory
from tests.support.daemon import Daemon, Home
from tests.support.demo import DemoShop

BROWSER = """
async with run.step("Open the shop"):
    await run.page.goto("/")
async with run.step("Ask for the stock"):
    left = await run.page.evaluate("fetch('/api/stock/mug').then(a => a.json())")
    assert left["available"] == 7
"""
API = """
async with run.step("Ask for the stock"):
    answer = await run.api.get("/api/stock/mug")
    assert (await answer.json())["available"] == 7
"""
DATABASE = [
    ("inventory", "client", "SELECT"),
    ("inventory", "server", "GET /stock/{slug}"),
]
SHOP = [
    ("shop", "client", "GET"),
    ("shop", "server", "GET /api/stock/{slug}"),
]


def walk_of(journey):
    """The agent's own spans, from the request up to the root."""
    return [
        ("footfall", "client", "GET"),
        ("footfall", "internal", "step Ask for the stock"),
        ("footfall", "internal", "attempt 1"),
        ("footfall", "internal", f"journey {journey}"),
    ]


def roads(otlp):
    """For each query of a database, the spans from it up to the root, in one trace each."""
    known = {(span.trace_id, span.span_id): span for span in otlp.spans}
    for query in otlp.spans:
        if query.name == "SELECT":
            road, span = [], query
            while span is not None:
                road.append(span)
                span = known.get((span.trace_id, span.parent_id))
            yield road


def told(road):
    return [(span.resource["service.name"], span.kind, span.name) for span in road]


@pytest.fixture
async def inventory(otlp):
    async with Inventory(otlp.http_endpoint) as service:
        yield service


@pytest.fixture
async def instrumented(inventory, otlp):
    async with InstrumentedShop(inventory.url, otlp.http_endpoint) as shop:
        yield shop


@pytest.fixture
async def plain(inventory):
    async with DemoShop(inventory.url) as shop:
        yield shop


async def test_from_the_journey_to_the_query(tmp_path, otlp, instrumented, plain):
    """The browser's request, the shop's answer, its own request and the query behind it hang
    together in the journey's trace, each under the one that caused it. A shop that only hands
    the context on leaves itself out and breaks nothing, and what ``run.api`` asks is no other.
    The back end's instrumentation knows the visit for a synthetic one by its user agent."""
    sites = {"instrumented": instrumented.url, "plain": plain.url}
    home = Home(tmp_path / "home", sites, environment={})
    home.journey("browses", BROWSER, 'site="instrumented", owner="tests"')
    home.journey("asks", API, 'site="plain", owner="tests"')
    home.configure(telemetry={"endpoint": otlp.http_endpoint})
    expected = [
        DATABASE + SHOP + walk_of("browses"),
        DATABASE + walk_of("asks"),
    ]
    async with Daemon(home) as daemon:
        await daemon.started()
        await daemon.finished("browses", "pass")
        await daemon.finished("asks", "pass")
        await otlp.wait_for(lambda o: all(one in map(told, roads(o)) for one in expected))
        assert await daemon.terminate() == 0, daemon.story()
    through_shop = next(road for road in roads(otlp) if told(road) == expected[0])
    assert through_shop[3].attributes["user_agent.synthetic.type"] == "test"
    assert through_shop[4].attributes["http.response.status_code"] == 200
    assert through_shop[4].attributes["url.full"] == f"{instrumented.url}/api/stock/mug"
    finished = {one["run_id"]: one["trace_id"] for one in daemon.events("run.finished")}
    root = through_shop[-1]
    assert root.parent_id is None
    assert finished[root.attributes["footfall.run.id"]] == root.trace_id
