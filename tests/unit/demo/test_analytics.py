from __future__ import annotations

import pytest

from agent.demo.analytics import create_analytics


@pytest.fixture
def analytics(visit):
    return visit(create_analytics())


async def test_beacons_are_counted_by_kind(analytics):
    """Each beacon counts once, for the vendor whose address it used, and looking doesn't count."""
    for _ in range(3):
        await analytics.post("/g/collect?v=2&tid=G-DEMOSHOP01&en=page_view")
    await analytics.post("/api/event")
    await analytics.get("/")
    assert (await analytics.get("/counts")).json() == {"ga4": 3, "plausible": 1}
    page = (await analytics.get("/")).text
    assert 'data-testid="ga4">3<' in page
    assert 'data-testid="plausible">1<' in page


@pytest.mark.parametrize("path", ["/g/collect?v=2", "/api/event"])
async def test_the_shop_may_read_the_answer(analytics, path):
    """A beacon with credentials needs the caller's own origin in the answer."""
    answer = await analytics.post(path, origin="http://127.0.0.1:8000")
    assert answer.headers["access-control-allow-origin"] == "http://127.0.0.1:8000"
    assert answer.headers["access-control-allow-credentials"] == "true"


async def test_what_reached_the_third_party_can_be_looked_at(analytics):
    """A mark that leaked to the analytics shows in their log."""
    await analytics.post("/api/event", traceparent="00-leak")
    [request] = (await analytics.get("/demo/seen")).json()["requests"]
    assert request["headers"] == {"traceparent": "00-leak"}
