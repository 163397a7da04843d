"""`agent.server.public.public_app`: who asks the public page, and what they get."""

from __future__ import annotations

import aiohttp
import pytest

from agent.core.errors import StateError
from agent.server.connection import LimitedConnection
from agent.server.public.public_app import create_public_app
from agent.server.serving import listen, port_of, serving
from tests.support.clock import ManualClock
from tests.support.overviews import CANARY, Told, a_journey, an_overview, incidents


class Source(Told):
    """Counts how often it is asked, and may be in trouble."""

    def __init__(self):
        super().__init__(an_overview(a_journey("buy", "Buy")), *[incidents()] * 9)
        self.asked = 0
        self.error = None

    async def journeys(self, days):
        self.asked += 1
        if self.error:
            raise self.error
        return await super().journeys(days)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def client(source, clock):
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{port_of(listening)}"
    app = create_public_app(source, clock)
    async with serving(app, listening, LimitedConnection), aiohttp.ClientSession(url) as session:
        yield session


@pytest.mark.parametrize(
    "path", ["/", "/status.json", "/feed.atom", "/page.css", "/page.js", "/icon-up.svg"]
)
async def test_everybody_may_read(client, path):
    """Each file answers without a token, under the strictest policy, and under any name."""
    answer = await client.get(path, headers={"host": "status.example.com"})
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nobody_may_change_anything(client, method):
    """No method but reading is known."""
    assert (await client.request(method, "/")).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/journeys",
        "/readyz",
        "/healthz",
        "/artifacts/x",
        "/sign-in",
        "/..%2fx",
        "/journeys/buy",
    ],
)
async def test_no_other_route_is_at_its_address(client, path):
    """The agent's own routes are not there."""
    answer = await client.get(path)
    assert (answer.status, await answer.text()) == (404, "There is nothing here.\n")


async def test_however_many_ask_the_agent_looks_once(client, source, clock):
    """One answer serves all within ten seconds; then it is made anew."""
    for path in ("/", "/status.json", "/feed.atom", "/", "/nothing"):
        await client.get(path)
    assert source.asked == 1
    clock.advance(10)
    await client.get("/")
    assert source.asked == 2


@pytest.mark.parametrize("error", [StateError(f"/var/{CANARY}.db can't be read"), KeyError(CANARY)])
async def test_trouble_of_the_agent_is_not_told(client, source, error):
    """Where it can't be told how things stand, the answer says so, and nothing of why."""
    source.error = error
    answer = await client.get("/")
    assert answer.status >= 500
    assert answer.headers["cache-control"] == "no-store"
    assert CANARY not in await answer.text() + str(answer.headers)
