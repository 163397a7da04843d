"""Who is let in: with the token, or on this machine alone; to health everybody."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict
from yarl import URL

from agent.server.access import Access, AccessControl, is_loopback
from agent.server.health import Check
from tests.support.api import STATE_TOKEN, Served, journey

TOKEN = "0123456789abcdef-token"
PATHS = ("/api/v1/journeys", "/api/v1/runs", "/artifacts/a.png", "/nothing", "/", "/healthz/")
HEALTH = ("/healthz", "/readyz")


@pytest.fixture
def serve(tmp_path):
    def make(host="127.0.0.1", token=""):
        served = Served(tmp_path, host, token, journeys=[journey("buy")])
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


UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "RELOAD")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_nothing_is_changed_without_the_token(serve, host, token):
    """Wherever the server is bound, by whatever name it is asked, with a token configured or
    not, on any path: and the answer says which token it takes."""
    async with serve(host, token) as served:
        for name in (f"127.0.0.1:{served.port}", "localhost", "shop.lan", "evil.example"):
            for method in UNSAFE[:4]:
                for path in ("/api/v1/reload", "/healthz", "/api/v1/runs", "/", "/nothing"):
                    asking = served.session.request(
                        method, path, headers={"Host": name}, json={}, allow_redirects=False
                    )
                    async with asking as response:
                        assert response.status == 401, (name, method, path)
                        assert response.headers["www-authenticate"] == "Bearer"
                        told = (await response.json())["error"]
                    assert ("server.token" in told) is bool(token)
                    assert token or "state folder" in told
        assert served.control.verbs == []


@pytest.mark.parametrize("method", UNSAFE)
async def test_only_methods_known_to_be_safe_are(serve, method):
    """A method that nobody knows, or in other letters, is none of them."""
    async with serve() as served:
        reader, writer = await served.connect()
        target = "localhost:80" if method == "CONNECT" else "/api/v1/reload"
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert (await reader.readline())[9:12] == b"401"
        assert served.control.verbs == []


@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_who_shows_the_token_may_change_things(serve, token):
    """The configured one, or else that of the state folder; and then reads all, by any name."""
    async with serve("0.0.0.0", token) as served:
        shown = {"Authorization": f"Bearer {token or STATE_TOKEN}", "Host": "footfall.example.com"}
        async with served.session.post("/api/v1/reload", headers=shown) as response:
            assert (response.status, await response.json()) == (200, {"did": ["reload"]})
        assert await status(served, "/api/v1/runs", shown) == 200
        assert served.control.verbs == [("reload",)]


async def test_the_token_of_the_state_folder_is_none_where_one_is_configured(serve):
    """There is one token at a time."""
    async with serve(token=TOKEN) as served:
        shown = {"Authorization": f"Bearer {STATE_TOKEN}"}
        assert await status(served, "/api/v1/runs", shown) == 401


@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_the_token_counts_in_its_place_alone(serve, token):
    """Not in the address, a cookie, a field of another name, a form, or beside another one: what
    stands before the agent may have read the other one."""
    async with serve(token=token) as served:
        right = f"Bearer {token or STATE_TOKEN}"
        asked = [
            (f"?token={token or STATE_TOKEN}&access_token={token or STATE_TOKEN}", []),
            ("", [("Cookie", f"token={token or STATE_TOKEN}; footfall={token or STATE_TOKEN}")]),
            ("", [("X-Footfall-Token", right), ("Proxy-Authorization", right)]),
            ("", [("Authorization", right), ("Authorization", "Bearer other")]),
            ("", [("Authorization", "Bearer other"), ("Authorization", right)]),
            ("", [("Authorization", f"{right}, {right}")]),
            ("", [("X-HTTP-Method-Override", "GET"), ("X-Method-Override", "GET")]),
        ]
        for query, headers in asked:
            asking = served.session.post(
                f"/api/v1/reload{query}", headers=CIMultiDict(headers), data={"_method": "GET"}
            )
            async with asking as response:
                assert response.status == 401, (query, headers)
        assert served.control.verbs == []


async def test_no_other_method_changes_anything(serve):
    """GET and its like answer 405 on such a route, also to who shows the token, whatever they say
    the method really is."""
    async with serve() as served:
        headers = {"Authorization": f"Bearer {STATE_TOKEN}", "X-HTTP-Method-Override": "POST"}
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE"):
            path = "/api/v1/reload?_method=POST"
            async with served.session.request(method, path, headers=headers) as response:
                assert response.status == 405, method
                assert response.headers["allow"] == "POST"
                assert not [name for name in response.headers if "access-control" in name.lower()]
        assert served.control.verbs == []


def test_a_server_needs_a_token():
    """Without any, an empty one would open it."""
    with pytest.raises(ValueError, match="without a token"):
        AccessControl(None, Access("127.0.0.1", "", False, 8080), None, None, ())


SPELLINGS = [
    "/static/../api/v1/runs",
    "/static/%2e%2e/api/v1/runs",
    "/static/..%2fapi%2fv1%2fruns",
    "/static/..%5capi%5cv1%5cruns",
    "/static//api/v1/runs",
    "/static/%00/../../artifacts/a.png",
    "/static/../artifacts/a.png",
    "/healthz/../api/v1/runs",
    "/healthz/..%2fapi/v1/runs",
    "/healthz%2f..%2fapi/v1/runs",
    "/healthz;/../api/v1/runs",
    "/healthz?/../api/v1/runs",
    "/healthz%3f/../../api/v1/runs",
    "/healthz#/../api/v1/runs",
    "/sign-in/../api/v1/runs",
    "/sign-in%2f../api/v1/runs",
    "//api/v1/runs",
    "/./api/v1/runs",
    "/API/v1/runs",
    "/api%2fv1%2fruns",
    "/%61pi/v1/runs",
    "/api/v1/runs/",
    "/api/v1/%72uns",
    "http://localhost/api/v1/runs",
    "http://localhost/healthz/../api/v1/runs",
    "http://evil.example/static/../api/v1/runs",
    "/artifacts/%2e%2e/footfall.db",
    "/artifacts/..%2ffootfall.db",
    "/artifacts/a.png/../../footfall.db",
    "/artifacts/a.png%00",
    "/artifacts//a.png",
    "*",
]


async def test_no_spelling_of_a_path_leads_around(serve):
    """Dots, slashes of any kind and whole addresses, encoded or not, once or twice: without the
    token nothing is answered but what is everybody's; with it nothing from beside the folder."""
    async with serve(token=TOKEN) as served:
        everybody = set()
        for path in (*HEALTH, "/sign-in", "/static/live.js"):
            async with served.session.get(path) as response:
                everybody.add((await response.read())[:40])
        for shown in ("", f"Authorization: Bearer {TOKEN}\r\n"):
            for spelling in SPELLINGS:
                for target in (spelling, spelling.replace("%", "%25")):
                    reader, writer = await served.connect()
                    head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{shown}"
                    writer.write(f"{head}Connection: close\r\n\r\n".encode())
                    told = await reader.read()
                    body = told.partition(b"\r\n\r\n")[2]
                    assert b"SQLite" not in told, target
                    if not shown:
                        opened = told[9:12] == b"200" and body[:40] not in everybody
                        assert not opened, (target, told)
                    writer.close()


async def test_no_field_of_a_request_ends_up_as_a_header(serve):
    """Header injection: whatever stands in path, query, form or cookie, an answer has the headers
    that it always has, each once."""
    line = "%0d%0aSet-Cookie:%20x=y%0d%0aX-Bad:%20y%0d%0a%0d%0a<script>"
    async with serve(token=TOKEN) as served:
        for method, path, fields in (
            ("GET", f"/runs/{line}", None),
            ("GET", f"/artifacts/{line}.zip", None),
            ("GET", f"/sign-in?next=/{line}", None),
            ("GET", f"/{line}", None),
            ("POST", "/sign-in", {"token": TOKEN, "next": "/a\r\nX-Bad: y"}),
            ("POST", "/sign-in", {"token": "x\r\nX-Bad: y", "next": "/\nX-Bad: y"}),
        ):
            for html in ({"Accept": "text/html"}, {}):
                asking = served.session.request(
                    method,
                    URL(path, encoded=True),
                    data=fields,
                    headers={"Sec-Fetch-Site": "same-origin", "Cookie": "footfall-1=\tX", **html},
                    allow_redirects=False,
                )
                async with asking as response:
                    names = [name.lower() for name in response.headers]
                    assert "x-bad" not in names, path
                    assert len(names) == len(set(names)), path
                    assert response.headers.get("set-cookie", "footfall").startswith("footfall")


@pytest.mark.parametrize("token", [TOKEN, ""])
async def test_a_page_may_load_from_here_alone(serve, token):
    """Pages may show styles, scripts and pictures of the agent's own and send forms to it; nobody
    may frame them; data and evidence are no pages; and none of it says who may read along."""
    pages = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    data = "default-src 'none'; frame-ancestors 'none'; sandbox"
    async with serve(token=token) as served:
        shown = {"Authorization": f"Bearer {token or STATE_TOKEN}", "Accept": "text/html"}
        for policy, referrer, paths in (
            (pages, "same-origin", ("/", "/runs/0", "/incidents", "/sign-in", "/nothing")),
            (data, "no-referrer", ("/api/v1/runs", "/artifacts/a.png", "/healthz", "/api/x")),
        ):
            for path in paths:
                for headers in (shown, {"Accept": "*/*"}):
                    async with served.session.get(
                        path, headers=headers, allow_redirects=False
                    ) as response:
                        got = response.headers
                        assert got["content-security-policy"] == policy, path
                        assert got["referrer-policy"] == referrer, path
                        assert got["x-content-type-options"] == "nosniff"
                        assert got["cross-origin-resource-policy"] == "same-origin"
                        assert got["cache-control"] == "no-store"
                        assert not [name for name in got if name.lower().startswith("access-")]
        # What leads to the form is a page of its own, where the browser would not follow it else.
        if token:
            leads = {"Accept": "text/html"}
            async with served.session.get("/artifacts/a.png", headers=leads) as response:
                assert response.headers["content-security-policy"] == pages
