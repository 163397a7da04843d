"""What goes over the wire, and to whom: seen by servers, not by the browser."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from agent.core.errors import ErrorType
from tests.support.origin import Asked, Origin
from tests.support.walking import HEADER, INFO_URL, VERSION, Walked, Walker, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = f" FootfallSynthetics/{VERSION} (bot; AlwaysOn; +{INFO_URL})"
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")
OWN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CARRIERS = (HEADER.lower(), "baggage", "traceparent", "cookie")
UNASKED = "/favicon.ico"
TURNS: list[web.Request] = []


async def _script(request: web.Request) -> web.Response:
    return web.Response(text=SCRIPTS[request.path], content_type="text/javascript")


async def _cached(_: web.Request) -> web.Response:
    return web.Response(
        text="window.loaded = 1;",
        content_type="text/javascript",
        headers={"Cache-Control": "max-age=3600"},
    )


async def _json(_: web.Request) -> web.Response:
    return web.json_response({"ok": True}, headers={"Access-Control-Allow-Origin": "*"})


async def _cors(request: web.Request) -> web.Response:
    headers = {"Access-Control-Allow-Origin": request.headers.get("Origin", "*")}
    if request.method == "OPTIONS":
        headers |= {"Access-Control-Allow-Headers": "x-mine", "Access-Control-Allow-Methods": "PUT"}
    return web.json_response({"ok": True}, headers=headers)


async def _refusing(_: web.Request) -> web.Response:
    return web.json_response({})


async def _turns(request: web.Request) -> web.Response:
    TURNS.append(request)
    if TURNS[0] is request:
        await asyncio.sleep(0.4)
    return web.json_response({})


async def _redirect(request: web.Request) -> web.Response:
    status = int(request.query.get("status", "302"))
    return web.Response(status=status, headers={"Location": request.query["to"]})


SCRIPTS = {
    "/worker.js": "fetch('/from-worker').then(() => postMessage('done'));",
    "/imports.js": "importScripts('/imported.js'); postMessage('done');",
    **dict.fromkeys(("/imported.js", "/own.js", "/late.js"), ""),
    "/sw.js": """
        self.addEventListener('install', e => { self.skipWaiting();
            e.waitUntil(fetch('/from-install')); });
        self.addEventListener('activate', e => e.waitUntil(self.clients.claim()));
        self.addEventListener('fetch', e => {
            if (e.request.url.endsWith('/proxied')) e.respondWith(fetch('/by-proxy')); });
    """,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def third() -> AsyncIterator[Origin]:
    pages = {
        "/pixel": _json,
        "/collect": _json,
        "/redirect": _redirect,
        "/page": "<title>Third</title><h1>Third</h1>",
    }
    async with Origin(host="localhost", pages=pages) as serving:
        pages["/frame"] = "<title>Frame</title>"
        yield serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[Origin]:
    async with Origin(host="127.0.0.2", pages={"/data": _cors, "/refuses": _refusing}) as serving:
        yield serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(third: Origin, api: Origin) -> AsyncIterator[Origin]:
    pages = {
        "/": "<title>Home</title><h1>Home</h1>",
        "/two": "<title>Two</title><h1>Two</h1>",
        "/json": _json,
        "/cached.js": _cached,
        "/cached": "<title>Cached</title><script src='/cached.js'></script>",
        "/redirect": _redirect,
        **dict.fromkeys(SCRIPTS, _script),
        "/form": "<form method=post action=/posted><input name=a value=1>"
        "<button>Send</button></form>",
        "/posted": "<title>Posted</title>",
        **dict.fromkeys(("/from-worker", "/from-install", "/by-proxy", "/beacon"), _json),
    }
    async with Origin(pages=pages) as serving:
        third.pages["/frame"] = f"<script>fetch('{serving.url}/json?frame')</script>"
        yield serving


@pytest.fixture(autouse=True)
def _forget(shop: Origin, api: Origin, third: Origin) -> None:
    for origin in (shop, api, third):
        origin.seen.clear()


async def passed(walker: Walker, source: str, *origins: Origin) -> Walked:
    walked = await walker.walk(source, site(*[origin.url for origin in origins]))
    assert walked.report.error_type is None, walked.report.error
    return walked


def is_tagged(asked: Asked, walked: Walked) -> str:
    """Check each carrier of a first party's request; return the span id that it carried."""
    headers = asked.headers
    assert headers["user-agent"].endswith(TOKEN), asked
    assert headers[HEADER.lower()] == "walked", asked
    assert headers["baggage"].endswith(
        f"synthetic_request=true,footfall.journey=walked,footfall.run={walked.order.run_id}"
    ), asked
    match = TRACEPARENT.fullmatch(headers["traceparent"])
    assert match, asked
    assert match[1] == walked.order.trace_id
    return match[2]


def all_tagged(walked: Walked, *origins: Origin) -> list[str]:
    """Check every request that came; preflights are the browser's own and carry nothing."""
    asked = [one for origin in origins for one in origin.seen if one.method != "OPTIONS"]
    ids = [is_tagged(one, walked) for one in asked]
    assert len(set(ids)) == len(ids)
    return ids


def has_span(walked: Walked, asked: Asked) -> None:
    """The request's traceparent names a client span that was reported, of this request."""
    span_id = is_tagged(asked, walked)
    (span,) = [one for one in walked.requests if one.span_id == span_id]
    assert span.attributes["http.request.method"] == asked.method
    assert asked.path in str(span.attributes["url.full"])


def is_clean(origin: Origin) -> None:
    """A third party was asked, and was told nothing but the user agent."""
    assert origin.seen
    for asked in origin.seen:
        assert asked.headers["user-agent"].endswith(TOKEN)
        assert [name for name in CARRIERS if name in asked.headers] == [], asked


async def test_documents_and_fetches(walker: Walker, shop: Origin) -> None:
    """Documents, XHR and fetches are tagged, each with its own span, below the open step."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        async with run.step("Fetch"):
            await run.page.evaluate("fetch('/json?1').then(r => r.json())")
            await run.page.evaluate('''new Promise(done => {
                const x = new XMLHttpRequest(); x.onload = done;
                x.open('POST', '/json?2'); x.send('a'); }).then(() => 1)''')
        await run.page.goto("/two")
        """,
        shop,
    )
    all_tagged(walked, shop)
    for asked in shop.seen:
        if asked.path != UNASKED:
            has_span(walked, asked)
    step = next(span.span_id for span in walked.record.spans if span.name == "step Fetch")
    below = {str(span.attributes["url.full"]): span.parent_id for span in walked.requests}
    assert below[f"{shop.url}/json?1"] == below[f"{shop.url}/json?2"] == step
    assert below[f"{shop.url}/two"] == walked.order.span_id
    kinds = [span.attributes["footfall.request.kind"] for span in walked.requests]
    assert kinds == ["document", "fetch", "xhr", "document"]


async def test_cookie(walker: Walker, shop: Origin, third: Origin) -> None:
    """The cookie `synthetic` is there for first parties, their scripts included."""
    await passed(
        walker,
        f"""
        await run.page.goto("/")
        assert await run.page.evaluate("document.cookie") == "synthetic=1"
        await run.page.goto("{third.url}/page")
        assert await run.page.evaluate("document.cookie") == ""
        """,
        shop,
    )
    assert shop.asked("/")[0].headers["cookie"] == "synthetic=1"
    is_clean(third)


async def test_third_parties(walker: Walker, shop: Origin, third: Origin) -> None:
    """A third party gets the user agent alone, whatever its address holds."""
    walked = await passed(
        walker,
        f"""
        await run.page.goto("/")
        await run.page.evaluate("fetch('{third.url}/pixel?u={shop.url}/').then(r => r.text())")
        await run.page.evaluate("navigator.sendBeacon('{third.url}/collect', '{shop.url}')")
        await run.api.get("{third.url}/pixel?u={shop.url}/")
        await run.page.request.get("{third.url}/pixel?u={shop.url}/")
        await run.page.goto("{third.url}/page?next={shop.url}/")
        """,
        shop,
    )
    await third.until_asked("/collect")
    is_clean(third)
    assert len(third.asked("/pixel")) == 3
    assert walked.report.requests["third ok"] >= 2
    assert not [
        span for span in walked.requests if third.url in str(span.attributes["url.full"])[:30]
    ]


async def test_redirect_out_and_back(walker: Walker, shop: Origin, third: Origin) -> None:
    """Along a redirect each hop gets what is its own: home tagged, away nothing."""
    walked = await passed(
        walker,
        f"""
        from urllib.parse import quote
        home = quote("{shop.url}/two", safe="")
        away = quote("{third.url}/redirect?to=" + home, safe="")
        await run.page.goto("/redirect?to=" + away)
        assert run.page.url == "{shop.url}/two"
        """,
        shop,
    )
    is_clean(third)
    all_tagged(walked, shop)
    has_span(walked, shop.asked("/redirect")[0])
    has_span(walked, shop.asked("/two")[0])


@pytest.mark.parametrize("client", ["run.api", "run.page.request", "run.context.request"])
async def test_api_redirect_out_and_back(
    walker: Walker, shop: Origin, third: Origin, client: str
) -> None:
    """The same holds for requests without a browser; their spans are of kind api."""
    walked = await passed(
        walker,
        f"""
        from urllib.parse import quote
        home = quote("{shop.url}/json?back", safe="")
        away = quote("{third.url}/redirect?to=" + home, safe="")
        away = {{"to": "{third.url}/redirect?to=" + home}}
        answer = await {client}.post("/redirect", params=away, data={{"a": 1}})
        assert answer.ok and answer.url == "{shop.url}/json?back", answer.url
        assert (await {client}.fetch("/json", method="put")).ok
        """,
        shop,
    )
    is_clean(third)
    all_tagged(walked, shop)
    for asked in shop.seen:
        has_span(walked, asked)
    assert [(asked.method, asked.path) for asked in shop.seen] == [
        ("POST", "/redirect"),
        ("GET", "/json"),
        ("PUT", "/json"),
    ]
    assert {span.attributes["footfall.request.kind"] for span in walked.requests} == {"api"}


async def test_popup(walker: Walker, shop: Origin) -> None:
    """A popup is tagged from its first request on."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        async with run.context.expect_page() as opened:
            await run.page.evaluate("window.open('/two')")
        await (await opened.value).wait_for_load_state()
        """,
        shop,
    )
    all_tagged(walked, shop)
    has_span(walked, shop.asked("/two")[0])


async def test_frame_of_a_third_party_calls_home(
    walker: Walker, shop: Origin, third: Origin
) -> None:
    """A request to a first party is tagged even where a third party's frame sends it."""
    walked = await passed(
        walker,
        f"""
        await run.page.goto("/")
        async with run.page.expect_response("**/json?frame"):
            await run.page.evaluate('''() => {{ const f = document.createElement('iframe');
                f.src = '{third.url}/frame'; document.body.append(f); }}''')
        """,
        shop,
    )
    is_clean(third)
    has_span(walked, shop.asked("/json")[0])


async def test_a_picture_takes_no_calls_tag(walker: Walker, shop: Origin) -> None:
    """Files go their way; a call to the address of one of them has its own span all the same."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        await run.page.evaluate('''new Promise(done => {
            const i = new Image(); i.onerror = done; i.src = '/json'; }).then(() => 1)''')
        await run.page.evaluate("fetch('/json').then(r => r.json())")
        """,
        shop,
    )
    picture, call = shop.asked("/json")
    assert picture.headers["user-agent"].endswith(TOKEN)
    assert [name for name in CARRIERS if name in picture.headers] == ["cookie"]
    has_span(walked, call)


async def test_a_broken_listener_costs_no_request(walker: Walker, shop: Origin) -> None:
    """What a listener of the journey's raises is told by the journey's own next call; requests
    that are held meanwhile are answered as ever."""
    walked = await walker.walk(
        """
        def broken(_):
            raise KeyError("mine")
        await run.page.goto("/")
        run.page.on("request", broken)
        await run.page.evaluate("void Promise.all([fetch('/json?1'), fetch('/json?2')])")
        await asyncio.sleep(0.5)
        await run.page.title()
        """,
        site(shop.url),
    )
    assert walked.report.error_type is ErrorType.SCRIPT_ERROR
    assert "mine" in walked.report.error
    for asked in await shop.until_asked("/json", 2):
        is_tagged(asked, walked)


async def test_scripts_are_held_once_there_is_a_worker(walker: Walker, shop: Origin) -> None:
    """What a worker imports looks like a page's script, and must not go without: so before the
    first worker scripts go their way, and from its own script on they are held. What a page asks
    for ahead, which looks like a worker's script, changes nothing."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        add = '''path => new Promise(done => { const s = document.createElement('script');
            s.onload = done; s.src = path; document.head.append(s); }).then(() => 1)'''
        await run.page.evaluate('''new Promise(done => { const l = document.createElement('link');
            l.rel = 'preload'; l.as = 'fetch'; l.crossOrigin = ''; l.href = '/json';
            l.onload = done; document.head.append(l); }).then(() => 1)''')
        await run.page.evaluate(add, "/own.js")
        await run.page.evaluate('''new Promise(done => {
            new Worker('/imports.js').onmessage = () => done(1); })''')
        await run.page.evaluate(add, "/late.js")
        """,
        shop,
    )
    (own,) = shop.asked("/own.js")
    assert [name for name in CARRIERS if name in own.headers] == ["cookie"]
    for path in ("/json", "/imports.js", "/imported.js", "/late.js"):
        is_tagged(shop.asked(path)[0], walked)


async def test_workers(walker: Walker, shop: Origin) -> None:
    """A dedicated worker's script and requests are tagged."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        await run.page.evaluate('''new Promise(done => {
            new Worker('/worker.js').onmessage = () => done(1); })''')
        """,
        shop,
    )
    all_tagged(walked, shop)
    assert shop.asked("/worker.js")
    has_span(walked, shop.asked("/from-worker")[0])


async def test_service_workers(walker: Walker, shop: Origin) -> None:
    """A service worker's script, its own fetches and those it proxies are tagged."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        await run.page.evaluate('''navigator.serviceWorker.register('/sw.js')
            .then(() => navigator.serviceWorker.ready).then(() => new Promise(done => {
                const look = () => navigator.serviceWorker.controller ? done(1)
                                                                       : setTimeout(look, 10);
                look(); }))''')
        await run.page.evaluate("fetch('/proxied').then(r => r.text())")
        """,
        shop,
    )
    all_tagged(walked, shop)
    for path in ("/sw.js", "/from-install", "/by-proxy"):
        assert len(shop.asked(path)) == 1
    assert not shop.asked("/proxied")
    has_span(walked, shop.asked("/by-proxy")[0])


async def test_forms_and_beacons(walker: Walker, shop: Origin) -> None:
    """Form posts and beacons, those at unload too, are tagged and keep their bodies."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/form")
        await run.page.evaluate("navigator.sendBeacon('/beacon', 'one')")
        await run.page.evaluate('''addEventListener('pagehide',
            () => navigator.sendBeacon('/beacon', 'two'))''')
        await run.page.get_by_role("button", name="Send").click()
        await expect(run.page).to_have_title("Posted")
        """,
        shop,
    )
    await shop.until_asked("/beacon", 2)
    all_tagged(walked, shop)
    assert {asked.body for asked in shop.asked("/beacon")} == {b"one", b"two"}
    assert shop.asked("/posted")[0].body == b"a=1"
    has_span(walked, shop.asked("/posted")[0])


async def test_the_pages_own_context_is_kept(walker: Walker, shop: Origin) -> None:
    """A page's traceparent and baggage stay, and our client span links to it."""
    walked = await passed(
        walker,
        f"""
        await run.page.goto("/")
        headers = {{"traceparent": "{OWN}", "baggage": "cart=7"}}
        await run.page.evaluate("h => fetch('/json', {{headers: h}}).then(r => r.text())", headers)
        await run.api.get("/json", headers=headers)
        """,
        shop,
    )
    for asked in shop.asked("/json"):
        assert asked.headers["traceparent"] == OWN
        assert asked.headers["baggage"].startswith("cart=7,synthetic_request=true,")
        assert asked.headers[HEADER.lower()] == "walked"
    links = [span.links for span in walked.requests if "/json" in str(span.attributes["url.full"])]
    assert links == [((OWN.split("-")[1], OWN.split("-")[2]),)] * 2


async def test_cors_stays_real(walker: Walker, shop: Origin, api: Origin) -> None:
    """The browser still asks a preflight, our headers don't ask for one, a refusal refuses."""
    walked = await passed(
        walker,
        f"""
        await run.page.goto("/")
        send = '''([url, options]) => fetch(url, options).then(r => r.status, e => "refused")'''
        put = {{"method": "PUT", "headers": {{"x-mine": "1"}}}}
        assert await run.page.evaluate(send, ["{api.url}/data", put]) == 200
        assert await run.page.evaluate(send, ["{api.url}/data", {{}}]) == 200
        assert await run.page.evaluate(send, ["{api.url}/refuses", put]) == "refused"
        assert await run.page.evaluate(send, ["{api.url}/refuses", {{}}]) == "refused"
        """,
        shop,
        api,
    )
    assert [asked.method for asked in api.asked("/data")] == ["OPTIONS", "PUT", "GET"]
    assert "PUT" not in [asked.method for asked in api.asked("/refuses")]
    preflight = api.asked("/data")[0].headers
    assert preflight["access-control-request-headers"] == "x-mine"
    has_span(walked, api.asked("/data")[1])
    has_span(walked, api.asked("/data")[2])


async def test_the_cache_still_works(walker: Walker, shop: Origin) -> None:
    """A second view fetches nothing that the first one was told to keep."""
    await passed(
        walker,
        """
        await run.page.goto("/cached")
        await run.page.goto("/two")
        await run.page.goto("/cached")
        assert await run.page.evaluate("window.loaded") == 1
        """,
        shop,
    )
    assert len(shop.asked("/cached")) == 2
    assert len(shop.asked("/cached.js")) == 1


async def test_same_address_many_times(walker: Walker, shop: Origin) -> None:
    """Requests of one address at the same time have an id and a span each."""
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        await run.page.evaluate('''Promise.all(
            Array.from({length: 20}, () => fetch('/json', {cache: 'no-store'})
                .then(r => r.text()))).then(() => 1)''')
        """,
        shop,
    )
    asked = shop.asked("/json")
    assert len(asked) == 20
    for one in asked:
        has_span(walked, one)


async def test_overtaking(walker: Walker, shop: Origin) -> None:
    """Of two requests of one address the first keeps its own span, though it ends last."""
    TURNS.clear()
    shop.pages["/turns"] = _turns
    walked = await passed(
        walker,
        """
        await run.page.goto("/")
        ask = "() => fetch('/turns', {cache: 'no-store'}).then(r => r.text())"
        await asyncio.gather(run.page.evaluate(ask), run.page.evaluate(ask))
        """,
        shop,
    )
    spans = {span.span_id: span for span in walked.requests}
    slow, quick = (spans[is_tagged(one, walked)] for one in shop.asked("/turns"))
    assert slow.end_ns - slow.start_ns > 0.3e9 > quick.end_ns - quick.start_ns


async def test_device(walker: Walker, shop: Origin) -> None:
    """A device's or an author's user agent carries the agent's token too."""
    for context, mine in (
        ({"device": "iPhone 13"}, "iPhone"),
        ({"user_agent": "Mine/1"}, "Mine/1"),
        ({"device": "iPhone 13", "user_agent": "Mine/2"}, "Mine/2"),
    ):
        shop.seen.clear()
        walked = await walker.walk(
            """
            await run.page.goto("/")
            await run.api.get("/json")
            """,
            site(shop.url),
            context=context,
        )
        assert walked.report.error_type is None, walked.report.error
        for asked in shop.seen:
            assert mine in asked.headers["user-agent"]
            assert asked.headers["user-agent"].endswith(TOKEN)


@pytest.mark.parametrize("target", ["run.page", "run.context"])
async def test_a_journeys_own_routes_are_warned_of(
    walker: Walker, shop: Origin, target: str
) -> None:
    """A journey that intercepts requests is told once what that changes; others are not."""
    route = f"await {target}.route('**/*', lambda route: route.continue_())"
    walked = await passed(walker, f"{route}\n{route}\nawait run.page.goto('/')", shop)
    all_tagged(walked, shop)
    assert [(level, event) for level, event, _ in walked.heard.logs] == [
        ("warning", "journey.routes")
    ]
    assert "CORS" in str(walked.heard.logs[0][2]["effect"])
    assert not (await passed(walker, "await run.page.goto('/')", shop)).heard.logs
