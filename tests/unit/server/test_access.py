"""Who is let in: with the token, or on this machine alone; to health everybody."""

from __future__ import annotations

import pytest

from agent.server.access import is_loopback
from agent.server.health import Check
from tests.support.api import Served, journey

TOKEN = "0123456789abcdef-token"
PATHS = ("/api/v1/journeys", "/api/v1/runs", "/artifacts/a.png", "/nothing", "/", "/healthz/")
HEALTH = ("/healthz", "/readyz")


@pytest.fixture
def serve(tmp_path):
    def make(host="127.0.0.1", token=""):
        served = Served(tmp_path, host, token, [journey("buy")])
        (tmp_path / "artifacts").mkdir()
        served.artifacts = tmp_path / "artifacts"
        served.keep("a.png", b"it")
        return served

    return make


async def status(served, path, headers=None):
    async with served.session.get(path, headers=headers or {}, allow_redirects=False) as response:
        return response.status


@pytest.mark.parametrize("host", ["0.0.0.0", "2001:db8::1"])
async def test_bound_wider_without_a_token_only_health_answers(serve, host):
    """The agent starts and can be probed; all else is refused and says what to set."""
    async with serve(host) as served:
        for path in HEALTH:
            assert await status(served, path, {"Host": "10.0.0.7:8080"}) == 200
        for path in PATHS:
            assert await status(served, path, {"Authorization": "Bearer "}) == 403, path
        code, body = await served.get("/api/v1/runs")
    assert code == 403
    assert "FOOTFALL_SERVER__TOKEN" in body["error"]


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
async def test_where_there_is_a_token_it_must_be_shown(serve, host):
    """Wherever the server is bound; then any name for it will do."""
    async with serve(host, TOKEN) as served:
        shown = {"Authorization": f"Bearer {TOKEN}", "Host": "footfall.example.com"}
        assert await status(served, "/api/v1/runs", shown) == 200
        assert await status(served, "/artifacts/a.png", shown) == 200
        for path in ("/nothing", "/healthz/", "/api/v1/runs/"):
            assert await status(served, path, shown) == 404
        assert await status(served, "/healthz", {"Host": "any"}) == 200
        for path in PATHS:
            assert await status(served, path) == 401, path


WRONG = [
    "",
    "Bearer",
    "Bearer ",
    TOKEN,
    f"Basic {TOKEN}",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN.upper()}",
    f"Bearer {TOKEN} {TOKEN}",
    "Bearer ÿ",
]


async def test_a_wrong_token_is_refused(serve):
    """401, the challenge, and not a word of the right one; the word Bearer stands in any case,
    before any number of spaces."""
    async with serve(token=TOKEN) as served:
        for shown in (f"bearer {TOKEN}", f"Bearer  {TOKEN} "):
            assert await status(served, "/api/v1/runs", {"Authorization": shown}) == 200
        for shown in WRONG:
            headers = {"Authorization": shown}
            async with served.session.get("/api/v1/runs", headers=headers) as response:
                assert response.status == 401, shown
                assert response.headers["www-authenticate"] == "Bearer"
                assert TOKEN[:12] not in await response.text()


OWN = ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:8080"]
OTHER = [
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:127.0.0.1",
    "evil.example/localhost",
    "localhost@evil.example",
    "10.0.0.7",
    "[2001:db8::1]",
    "0.0.0.0",
    "",
]


async def test_a_page_that_names_this_address_otherwise_gets_nothing(serve):
    """DNS rebinding: a page's own name leads to loopback, and its script asks there. Who names
    no host is refused too, and every name of this machine is let in."""
    async with serve() as served:
        for name in OWN:
            assert await status(served, "/api/v1/runs", {"Host": name}) == 200, name
        reader, writer = await served.connect()
        writer.write(b"GET /api/v1/runs HTTP/1.0\r\n\r\n")
        assert b" 403 " in await reader.readline()
        for name in OTHER:
            for path in PATHS:
                assert await status(served, path, {"Host": name}) == 403, (name, path)


async def test_no_other_origin_may_read(serve):
    """No answer says so, asked beforehand or not."""
    async with serve() as served:
        origin = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
        for method in ("GET", "OPTIONS"):
            async with served.session.request(method, "/api/v1/runs", headers=origin) as response:
                assert not [name for name in response.headers if "access-control" in name.lower()]
                assert response.headers["cross-origin-resource-policy"] == "same-origin"
                assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_which_hosts_are_this_machine_alone(host, local):
    """As `server.host` has them."""
    assert is_loopback(host) is local


SAID = "ImportError: postgres://u:hunter2pw@db/prod"


@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_health_tells_texts_to_who_shows_the_token_alone(serve, token):
    """Anybody may ask for health, and an error may quote anything: without the token, and so
    everywhere that none is set, only what is written for everybody is told."""
    async with serve(token=token) as served:
        broken = Check(False, f"journeys/buy.py:3: {SAID}", "can't be loaded: journeys/buy.py:3")
        served.checks["journeys"] = broken
        for shown in ("", "Bearer ", "Bearer wrong", f"Bearer {token}x"):
            code, body = await served.get("/readyz", Authorization=shown)
            assert code == 503
            assert body["checks"]["journeys"]["detail"] == broken.public
            assert SAID not in str(body)
        if token:
            _, body = await served.get("/readyz", Authorization=f"Bearer {token}")
            assert body["checks"]["journeys"]["detail"] == broken.detail
